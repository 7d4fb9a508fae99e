/** The schema that editors read says what config.ts checks. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stackFileSchema } from "../../../infra/stack-file-schema.ts";
import { checkout } from "../../../scripts/checkout.ts";
import { labStackFile, stackFile } from "../../../scripts/stack.ts";

test("Pulumi.schema.json is the one of this code: npm run stack-schema", () => {
  const file = readFileSync(join(checkout, "Pulumi.schema.json"), "utf8");
  expect(JSON.parse(file)).toEqual(
    JSON.parse(JSON.stringify(stackFileSchema())),
  );
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
