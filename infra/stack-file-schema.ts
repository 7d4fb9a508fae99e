/**
 * The JSON schema of `Pulumi.<stack>.yaml`, for editors: what config.ts checks,
 * as far as a schema can say it. `npm run stack-schema` writes it.
 */
import * as z from "zod";
import { schema, secretKeys } from "./config.ts";
import { options as ruleOptions } from "./gateway/rules.ts";

/** What each key is for, as an editor shows it beside the key. */
const descriptions: Readonly<Record<string, string>> = {
  domain: "Base name of the sandboxes' addresses.",
  platform: "Where the machines come from.",
  aws: "Settings of the platform aws.",
  cloudflare: "The zone at Cloudflare that holds the domain.",
  certificate: "Who certifies the domain, and how.",
  upstream: "Where sandboxes are reached: Daytona's proxy, or they themselves.",
  access: "Who decides about access to a sandbox.",
  accessKeyGeneration: "One more for each rotation of the signing keys.",
  limits: "What one client and one sandbox may take of an edge.",
  toolbox: "Whether /toolbox/… passes on the base name.",
  deniedPorts: "More ports to refuse on every sandbox.",
  egress: "What sandboxes may call; everything else is refused.",
  host: "Settings of the platform host.",
  gateway: "Where sandboxes are on their server, on the platform host.",
  sshPrivateKey: "Secret: may log in to host and its runners.",
  credentials: "Secret: what the credentials of rules name.",
  certificateCredentials: "Secret: what the certificate is ordered with.",
};

type JsonSchema = Record<string, unknown>;

/** A value that Pulumi has encrypted stands in the place of any other. */
const encrypted = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

export function stackFileSchema(): JsonSchema {
  const properties = propertiesOf(schema);
  const egress = properties.egress as { properties: JsonSchema };
  egress.properties.allow = {
    type: "array",
    items: { anyOf: [{ type: "string" }, plain(ruleOptions)] },
  };
  const keys = { ...properties };
  // A number in the file, which Pulumi hands over as text.
  keys.accessKeyGeneration = { type: "integer", minimum: 1, default: 1 };
  for (const key of secretKeys) keys[key] = { anyOf: [encrypted, {}] };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A stack of daytona-edge",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(keys).map(([key, value]) => [
            `daytona-edge:${key}`,
            { description: descriptions[key], ...(value as JsonSchema) },
          ]),
        ),
        // What nothing reads is a mistake; other programs' keys are theirs.
        patternProperties: { "^(?!daytona-edge:)": {} },
        additionalProperties: false,
      },
    },
  };
}

function plain(type: z.ZodType): JsonSchema {
  const converted = z.toJSONSchema(type, {
    io: "input",
    unrepresentable: "any",
  });
  delete converted.$schema;
  return converted;
}

function propertiesOf(type: z.ZodType): JsonSchema {
  return plain(type).properties as JsonSchema;
}
