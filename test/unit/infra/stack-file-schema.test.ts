/** What is generated from the schema of stack files, and what it needs for that. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { configurationPage } from "../../../infra/config/documentation.ts";
import {
  type Key,
  keyAt,
  keysBelow,
  keysOf,
} from "../../../infra/config/keys.ts";
import { check } from "../../../infra/config/problems.ts";
import { schema, secrets } from "../../../infra/config/schema.ts";
import { stackFileSchema } from "../../../infra/config/stack-file-schema.ts";
import { checkout } from "../../../scripts/checkout.ts";
import { labStackFile, stackFile } from "../../../scripts/stack.ts";

const generated = (file: string) => readFileSync(join(checkout, file), "utf8");

test("Pulumi.schema.json is the one of this code: npm run configuration", () => {
  expect(JSON.parse(generated("Pulumi.schema.json"))).toEqual(
    stackFileSchema(),
  );
});

test("docs/configuration.md is the one of this code: npm run configuration", () => {
  expect(generated("docs/configuration.md")).toBe(configurationPage());
});

/** Keys that lack what every one must have. */
function lacking(whole: Key): string[] {
  return keysBelow(whole).flatMap(({ path, key, required }) => [
    ...(key.description?.endsWith(".") ? [] : [`${path}: description`]),
    ...(!required || key.whenMissing ? [] : [`${path}: whenMissing`]),
  ]);
}

test("every key is described, and of each required one it is said what to do", () => {
  expect(lacking(keysOf(schema))).toEqual([]);
  expect(lacking(keysOf(secrets))).toEqual([]);
});

test("so are those that only some stacks need", () => {
  for (const path of ["aws", "host", "egress", "gateway", "gateway.server"]) {
    const key = keyAt(keysOf(schema), path.split("."));
    expect(key?.whenMissing, path).toMatch(/^set /);
  }
});

describe("a key that is added", () => {
  const added = (colour: z.ZodType) =>
    schema.extend({
      inner: z
        .strictObject({ list: z.array(z.strictObject({ colour })) })
        .describe("Inner."),
    });

  test("needs a description and what to do, wherever it stands", () => {
    expect(lacking(keysOf(added(z.string())))).toEqual([
      "inner: whenMissing",
      "inner.list: description",
      "inner.list: whenMissing",
      "inner.list[].colour: description",
      "inner.list[].colour: whenMissing",
    ]);
  });

  test("brings the message, and the line to type, with it", () => {
    const colour = z
      .string()
      .meta({ whenMissing: "set it, for example blue", value: "<name>" });
    const { problems } = check(added(colour), { inner: { list: [{}] } });
    expect(problems.find(({ key }) => key === "inner.list[0].colour")).toEqual({
      key: "inner.list[0].colour",
      message: "missing; set it, for example blue",
      commands: [
        "pulumi config set --path 'daytona-edge:inner.list[0].colour' <name>",
      ],
    });
  });
});

describe("an editor that goes by it", () => {
  const validate = new Ajv2020({
    strict: false,
    formats: {
      email: true,
      uri: true,
    },
  }).compile(stackFileSchema());

  test.each(["local", "signed", "prod", "host"] as const)(
    "takes %s",
    (name) => {
      validate(stackFile(name));
      expect(validate.errors).toBeNull();
    },
  );

  test("takes local with the key that the lab's server has", () => {
    const key = `ssh-ed25519 ${"A".repeat(68)}`;
    const lab = labStackFile("local", { host: { public: key } });
    validate(lab);
    expect(validate.errors).toBeNull();
    expect(JSON.stringify(lab)).toContain(key);
  });

  test("marks a server without a key", () => {
    const server = { address: "198.18.0.3" };
    validate(file("gateway", { server }));
    expect(validate.errors?.map(({ message }) => message)).toEqual([
      "must have required property 'hostKey'",
    ]);
  });

  const file = (key: string, value: unknown) => ({
    config: { ...stackFile("prod").config, [`daytona-edge:${key}`]: value },
  });
  test.each<[string, unknown]>([
    ["colour", "blue"],
    ["platform", "azure"],
    ["domain", "Sandbox.example.net"],
    ["aws", { region: "Frankfurt" }],
    ["aws", { region: "eu-central-1", zone: 2 }],
    ["egress", { allow: [{ url: "https://api.github.com/*", method: "GET" }] }],
  ])("marks %s: %j", (key, value) => {
    expect(validate(file(key, value))).toBe(false);
  });

  test("takes a secret in the place of a value", () => {
    expect(validate(file("sshPrivateKey", { secure: "v1:x:y" }))).toBe(true);
    expect(
      validate(file("credentials", { openrouter: { secure: "v1" } })),
    ).toBe(true);
  });
});
