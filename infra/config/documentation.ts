/**
 * docs/configuration.md: every key of a stack file, out of the schema.
 * `npm run configuration` writes it.
 */
import type * as z from "zod";
import {
  type Key,
  type KeyBelow,
  formsOf,
  keysBelow,
  keysOf,
  linesToType,
} from "./keys.ts";
import { oneOf } from "./problems.ts";
import { schema, secrets } from "./schema.ts";

const head = `# Configuration

Everything stands in \`Pulumi.<stack>.yaml\`, each key with \`daytona-edge:\` before
its name. A key that nothing reads, or a wrong value, fails the preview with its
name and the fix; all problems at once. This page and \`Pulumi.schema.json\`, by which
editors check and explain stack files, are written by \`npm run configuration\`.

\`a[].b\` is a key of each mapping in the list \`a\`, and \`a.NAME\` a name of your own.
`;

const secretsHead = `# Secrets

These are set with \`--secret\`, so that they are encrypted in the file; no message
quotes them. Cloudflare's API token is \`cloudflare:apiToken\`, a secret as well.
`;

/** The whole page. */
export function configurationPage(): string {
  const sections = [head, ...sectionsOf(schema)];
  return [...sections, secretsHead, ...sectionsOf(secrets)].join("\n");
}

function sectionsOf(keys: z.ZodType): string[] {
  const whole = keysOf(keys);
  const below = keysBelow(whole);
  return Object.entries(whole.properties ?? {}).map(([name, key]) => {
    const ofName = below.filter(({ path }) => /^\w+/.exec(path)?.[0] === name);
    const mayMiss = key.whenMissing ?? whole.required?.includes(name);
    const lines = mayMiss ? linesToType(name, key) : [];
    return [
      `## ${name}\n`,
      "| key | type | default | meaning |",
      "| --- | --- | --- | --- |",
      ...ofName.map(row),
      ...(lines.length > 0
        ? ["\nWhat to type when it is missing:\n\n```", ...lines, "```"]
        : []),
      "",
    ].join("\n");
  });
}

function row({ path, key, required }: KeyBelow): string {
  const { description = "", whenMissing } = key;
  const meaning =
    whenMissing === undefined
      ? description
      : `${description} When missing: ${whenMissing}.`;
  return `| \`${path}\` | ${typeOf(key)} | ${required ? "required" : defaultOf(key)} | ${meaning.replace(/[*_|<]/g, "\\$&")} |`;
}

function defaultOf(key: Key): string {
  // Those of a mapping are said of the keys in it.
  if (key.default === undefined || key.properties) return "";
  return `\`${JSON.stringify(key.default)}\``;
}

function typeOf(key: Key): string {
  const forms = formsOf(key);
  if (forms.length > 1) return oneOf([...new Set(forms.map(typeOf))]);
  const values = key.enum ?? (key.const === undefined ? [] : [key.const]);
  if (values.length > 0) {
    return oneOf(values.map((value) => `\`${String(value)}\``));
  }
  switch (key.type) {
    case "array":
      return `list (${typeOf(key.items ?? {})})`;
    case "boolean":
      return "`true` or `false`";
    case "integer":
      return `whole number, ${String(key.minimum)} to ${String(key.maximum)}`;
    case "object":
      return "mapping";
    default:
      return "text";
  }
}
