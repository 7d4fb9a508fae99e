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
  whatToDo,
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

/** A description that names the value does for "set …"; others need words of their own. */
const instruction =
  /^(set|write) (it[, ]|(its|the|an?|what|when|one|types|IP|address|mode|region|zoneId|allow|server)\b)/;

/** Keys that lack what every one must have. */
function lacking(whole: Key): string[] {
  return keysBelow(whole).flatMap(({ path, key, required }) => [
    ...(key.description?.endsWith(".") ? [] : [`${path}: description`]),
    ...(!required || instruction.test(whatToDo(key))
      ? []
      : [`${path}: ${whatToDo(key)}`]),
  ]);
}

test("every key is described, and of each required one it is said what to do", () => {
  expect(lacking(keysOf(schema))).toEqual([]);
  expect(lacking(keysOf(secrets))).toEqual([]);
});

test("so are those that only some stacks need", () => {
  for (const path of ["aws", "host", "egress"]) {
    const key = keyAt(keysOf(schema), path.split("."));
    expect(key?.whenMissing, path).toMatch(instruction);
  }
});

describe("a key that is added", () => {
  const added = (colour: z.ZodType) =>
    schema.extend({
      paint: z
        .strictObject({ coats: z.array(z.strictObject({ colour })) })
        .optional(),
    });

  test("needs a description, wherever it stands, and one that can be set", () => {
    expect(lacking(keysOf(added(z.string())))).toEqual([
      "paint: description",
      "paint.coats: description",
      "paint.coats: set it",
      "paint.coats[].colour: description",
      "paint.coats[].colour: set it",
    ]);
    const colour = z.string().describe("Paints the wall.");
    expect(lacking(keysOf(added(colour)))).toContain(
      "paint.coats[].colour: set paints the wall",
    );
  });

  test("brings the message and the line to type with it", () => {
    const colour = z.string().describe("The colour, for example blue.");
    const { problems } = check(added(colour), { paint: { coats: [{}] } });
    expect(problems.at(-1)).toEqual({
      key: "paint.coats[0].colour",
      message: "missing; set the colour, for example blue",
      commands: [
        "pulumi config set --path 'daytona-edge:paint.coats[0].colour' <colour>",
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

  test.each(["local", "signed", "prod"] as const)("takes %s", (name) => {
    validate(stackFile(name));
    expect(validate.errors).toBeNull();
  });

  test("takes local with the key that the lab's server has", () => {
    const key = `ssh-ed25519 ${"A".repeat(68)}`;
    const lab = labStackFile("local", { host: { public: key } });
    validate(lab);
    expect(validate.errors).toBeNull();
    expect(JSON.stringify(lab)).toContain(key);
  });

  test("marks a server without a key", () => {
    const server = { address: "198.18.0.3" };
    validate(file("host", server));
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
