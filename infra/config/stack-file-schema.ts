/**
 * The JSON schema of `Pulumi.<stack>.yaml`, for editors: what schema.ts checks,
 * as far as a schema can say it. `npm run configuration` writes it.
 */
import { type Key, keysOf } from "./keys.ts";
import { schema, secrets } from "./schema.ts";

/** A value that Pulumi has encrypted stands in the place of any other. */
const encrypted = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

export function stackFileSchema(): Record<string, unknown> {
  const keys: Record<string, Key> = { ...keysOf(schema).properties };
  for (const [key, { description = "" }] of Object.entries(
    keysOf(secrets).properties ?? {},
  )) {
    keys[key] = { description, anyOf: [encrypted, {}] };
  }
  const whole = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A stack of daytona-edge",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(keys).map(([key, value]) => [
            `daytona-edge:${key}`,
            value,
          ]),
        ),
        // What nothing reads is a mistake; other programs' keys are theirs.
        patternProperties: { "^(?!daytona-edge:)": {} },
        additionalProperties: false,
      },
    },
  };
  return JSON.parse(
    JSON.stringify(whole, (name, value: unknown) =>
      name === "whenMissing" || name === "value" ? undefined : value,
    ),
  ) as Record<string, unknown>;
}
