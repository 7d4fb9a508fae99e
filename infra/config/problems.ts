/** Problems of a configuration, as the person who wrote it shall read them. */
import type * as z from "zod";
import { keyAt, keysOf, linesToType, whatToDo } from "./keys.ts";

export interface Problem {
  /** Of this project, or with the project that it is of: `cloudflare:baseUrl`. */
  readonly key: string;
  readonly message: string;
  /** What to type, where that says it all but the value. */
  readonly commands?: readonly string[];
}

/** That a key is missing, what to do about it, and the lines that set it. */
export function missing(schema: z.ZodType, path: readonly PropertyKey[]) {
  const key = keyAt(keysOf(schema), path) ?? {};
  return {
    key: written(path),
    message: `missing; ${whatToDo(key)}`,
    commands: linesToType(written(path), key),
  };
}

/** A key as messages and Pulumi write it: `a.b[0].c`. */
function written(path: readonly PropertyKey[]): string {
  return path
    .map((part) =>
      typeof part === "number" ? `[${String(part)}]` : `.${String(part)}`,
    )
    .join("")
    .replace(/^\./, "");
}

/**
 * One line a problem, aligned, under the file they stand in; then the lines
 * that one types to set what is missing.
 */
export function problemReport(
  file: string,
  prefix: string,
  problems: readonly Problem[],
): string {
  const full = (key: string) => (key.includes(":") ? key : `${prefix}${key}`);
  const width = Math.max(...problems.map(({ key }) => full(key).length));
  const count = `${String(problems.length)} problem${problems.length === 1 ? "" : "s"}`;
  const lines = problems.map(
    ({ key, message }) => `  ${full(key).padEnd(width)}  ${message}`,
  );
  const commands = new Set(
    problems.flatMap((problem) => problem.commands ?? []),
  );
  return [
    `${file}: ${count}`,
    ...lines,
    ...(commands.size > 0 ? ["To set what is missing, type:"] : []),
    ...[...commands].map((command) => `  ${command}`),
  ].join("\n");
}

/**
 * Checks a value, which is no secret: messages quote what is wrong.
 * @returns `data` when there are no problems
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { data?: z.output<Schema>; problems: Problem[] } {
  const parsed = schema.safeParse(value, {
    reportInput: true,
    error: usualProblem,
  });
  if (parsed.success) return { data: parsed.data, problems: [] };
  return {
    problems: parsed.error.issues.flatMap((issue) =>
      issueProblems(issue, issue.path, schema),
    ),
  };
}

/** What zod found, as problems with the key and the fix. */
function issueProblems(
  issue: z.core.$ZodIssue,
  path: readonly PropertyKey[],
  schema: z.ZodType,
): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => ({
      key: written([...path, name]),
      message: "nothing reads this key; remove it or correct its spelling",
    }));
  }
  if (isAbsent(issue)) return [missing(schema, path)];
  if (issue.code === "invalid_union") {
    // The form that the value has, or none.
    const form = issue.errors.find(
      (issues) =>
        !issues.some(
          ({ code, path }) => path.length === 0 && code !== "unrecognized_keys",
        ),
    );
    if (form) {
      return form.flatMap((inner) =>
        issueProblems(inner, [...path, ...inner.path], schema),
      );
    }
  }
  return [{ key: written(path), message: issue.message }];
}

/** Whether there is no value, or none of the key that tells what the others are. */
function isAbsent({ code, input, ...issue }: z.core.$ZodIssue): boolean {
  if (code === "invalid_type" || code === "invalid_value") {
    return input === undefined;
  }
  if (!("discriminator" in issue)) return false;
  const given = input as Record<string, unknown> | undefined;
  return given?.[String(issue.discriminator)] === undefined;
}

/** A value as a message quotes it; what has parts is only named. */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : JSON.stringify(value);
}

/** What a format is called, and what to write. */
const formats: Readonly<Record<string, readonly [string, string]>> = {
  url: [
    "an https URL",
    "one such as https://acme-v02.api.letsencrypt.org/directory",
  ],
  email: ["an e-mail address", "one such as ops@example.net"],
  ipv4: ["an IPv4 address", "one such as 203.0.113.10"],
  ipv6: ["an IPv6 address", "one such as 2001:db8::10"],
  cidrv4: [
    "an IPv4 network",
    "one such as 10.0.0.0/8, or 10.0.0.1/32 for a single address",
  ],
};

/** The same of a type; those not named here are whole numbers. */
const types: Readonly<Record<string, readonly [string, string]>> = {
  string: ["text", 'one value, in quotes: "…"'],
  boolean: ["true or false", "one of them, without quotes"],
  object: ["a mapping", "its keys and their values below it"],
};

/**
 * What to say of a wrong value where its schema does not: the value, and what
 * to write.
 */
function usualProblem(issue: z.core.$ZodRawIssue): string | undefined {
  const not = ([what, write]: readonly [string, string]) =>
    `${quote(issue.input)} is not ${what}; write ${write}`;
  switch (issue.code) {
    case "invalid_type":
      if (issue.expected === "array") {
        const { input } = issue;
        const single = typeof input === "string" || typeof input === "number";
        return not(["a list", single ? `[${String(input)}]` : "[…]"]);
      }
      return not(
        types[issue.expected] ?? ["a whole number", "one, without unit"],
      );
    case "invalid_value":
      return not(["known here", oneOf(issue.values.map(String))]);
    case "invalid_format": {
      const format = formats[issue.format];
      return format && not(format);
    }
    case "too_small":
      return issue.origin === "array"
        ? `an empty list; write ${String(issue.minimum)} or more`
        : `${quote(issue.input)} is too small; write ${String(issue.minimum)} or more`;
    case "too_big":
      return `${quote(issue.input)} is too large; write ${String(issue.maximum)} or less`;
    default:
      return undefined;
  }
}

/** "a, b or c". */
export function oneOf(values: readonly string[]): string {
  return values.join(", ").replace(/, (?=[^,]*$)/, " or ");
}
