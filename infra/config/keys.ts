/**
 * What a schema says of its keys. A key's description, its default and what to
 * do when it is missing stand at its own schema (`.meta()`) and nowhere else;
 * messages, editors and docs/configuration.md read them from here.
 */
import * as z from "zod";

/** What to type for a key: a value, a list's values by place, or keys below it. */
type Typed = string | readonly Typed[] | { readonly [key: string]: Typed };

/** A key and those below it: JSON Schema, and what `.meta()` adds to it. */
export interface Key {
  readonly description?: string;
  /** What to do about a key that a stack needs and lacks; see `whatToDo`. */
  readonly whenMissing?: string;
  /** What to type then; when absent, the required keys below it or `<name>`. */
  readonly value?: Typed;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Key>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Key;
  readonly items?: Key;
  readonly anyOf?: readonly Key[];
  readonly oneOf?: readonly Key[];
}

/** The keys of a schema, as a stack file writes them. */
export function keysOf(schema: z.ZodType): Key {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
  }) as Key;
}

/** The forms of a key that takes several, each with keys of its own. */
export const formsOf = (key: Key) => key.anyOf ?? key.oneOf ?? [key];

/** The key at a path; undefined when the schema has none there. */
export function keyAt(key: Key, path: readonly PropertyKey[]): Key | undefined {
  const [part, ...below] = path;
  if (part === undefined) return key;
  for (const form of formsOf(key)) {
    const next =
      typeof part === "number" ? form.items : form.properties?.[String(part)];
    const found = next && keyAt(next, below);
    if (found) return found;
  }
  return undefined;
}

export interface KeyBelow {
  /** `a.b`; `a[].b` of each in a list, `a.NAME` of each by a name of one's own. */
  readonly path: string;
  readonly key: Key;
  readonly required: boolean;
}

/** Every key below one, in the schema's order. */
export function keysBelow(key: Key, path = ""): KeyBelow[] {
  return formsOf(key).flatMap(
    ({ properties, required, items, additionalProperties: any }) => [
      ...Object.entries({
        ...properties,
        ...(typeof any === "object" && { NAME: any }),
      }).flatMap(([name, below]) => {
        const at = path === "" ? name : `${path}.${name}`;
        return [
          {
            path: at,
            key: below,
            required: required?.includes(name) ?? false,
          },
          ...keysBelow(below, at),
        ];
      }),
      ...(items ? keysBelow(items, `${path}[]`) : []),
    ],
  );
}

/** What to do about a missing key: where it is not said, set what it is. */
export function whatToDo({ whenMissing, description = "It." }: Key): string {
  const what = description
    .replace(/\.$/, "")
    .replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
  return whenMissing ?? `set ${what}`;
}

/** The lines to type that set a key, but for the values. */
export function linesToType(path: string, key: Key): string[] {
  const name = path.slice(path.lastIndexOf(".") + 1);
  return linesFor(path, typedFor(name, key));
}

function typedFor(name: string, key: Key): Typed {
  if (key.value !== undefined) return key.value;
  const { properties = {}, required = [] } = key;
  return required.length === 0
    ? `<${name}>`
    : Object.fromEntries(
        required.map((name) => [name, typedFor(name, properties[name] ?? {})]),
      );
}

function linesFor(path: string, typed: Typed): string[] {
  if (typeof typed === "string") {
    const key = `daytona-edge:${path}`;
    // A shell would look for files of that name.
    const word = path.includes("[") ? `'${key}'` : key;
    return [`pulumi config set --path ${word} ${typed}`];
  }
  // By its place: a list that is typed as a whole is kept as text.
  return Array.isArray(typed)
    ? typed.flatMap((one: Typed, place) =>
        linesFor(`${path}[${String(place)}]`, one),
      )
    : Object.entries(typed).flatMap(([name, one]) =>
        linesFor(`${path}.${name}`, one),
      );
}
