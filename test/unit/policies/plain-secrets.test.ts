import { generateKeyPairSync, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { plainSecrets } from "../../../infra/policies/plain-secrets.ts";
import { planned } from "./planned.ts";

const judge = (inputs: Record<string, unknown>) =>
  plainSecrets.judge(planned("aws:lambda/function:Function", "it", inputs));

const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const accessKey = `AKIA${"Q3".repeat(8)}`;
const claims = (value: object) =>
  Buffer.from(JSON.stringify(value)).toString("base64url");
const secrets = {
  "a private key": pem,
  "a Cloudflare token": `cfut_${"aB3".repeat(16)}`,
  "an AWS access key": accessKey,
  "a GitHub token": `ghp_${"aB3d".repeat(9)}`,
  "an API key": `sk-or-v1-${"0a1b".repeat(16)}`,
  "a signed token": `${claims({ alg: "HS256" })}.${claims({ sub: "somebody" })}.${"x".repeat(43)}`,
};

describe.each(Object.entries(secrets))("%s", (what, secret) => {
  test.each([
    ["by itself", secret],
    ["inside a text", `KEY=${secret}\nexec program`],
    ["inside a list of objects", [{ a: 1 }, { b: secret }]],
    ["inside JSON", JSON.stringify({ deep: [{ value: secret }] })],
    ["as base64", Buffer.from(`#!/bin/sh\nKEY=${secret}`).toString("base64")],
    ["packed", gzipSync(`#!/bin/sh\nKEY=${secret}`).toString("base64")],
  ])("%s", (_, value) => {
    expect(judge({ value })).toEqual([expect.stringContaining(what)]);
  });
});

test("what has a secret's name and looks like nothing else is one", () => {
  const older = "Ab1".repeat(14);
  const environment = { variables: { CLOUDFLARE_API_TOKEN: older } };
  expect(judge({ environment })).toEqual([
    expect.stringMatching(/^environment\.variables\.CLOUDFLARE_API_TOKEN /),
  ]);
  expect(judge({ input: JSON.stringify({ password: older }) })).toHaveLength(1);
});

test("the secret itself is not said", () => {
  for (const secret of Object.values(secrets)) {
    expect(judge({ secret }).join()).not.toContain(secret.slice(0, 20));
  }
});

test.each([
  [
    "a program that reads keys",
    'if (text.startsWith("-----BEGIN PRIVATE KEY-----")) return;',
  ],
  ["a certificate", pem.replaceAll("PRIVATE KEY", "CERTIFICATE")],
  ["a public key", pem.replaceAll("PRIVATE", "PUBLIC")],
  [
    "a name of an access key's length, in small letters",
    accessKey.toLowerCase(),
  ],
  ["a longer word with an access key's look", `X${accessKey}`],
  ["a word that ends in sk-", "risk-assessment-of-the-whole-stack-2026"],
  ["words behind sk-", "sk-learn-is-a-library-of-python"],
  [
    "where a secret lies",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/token-AbCdEf",
  ],
  ["a hash", "9".repeat(64)],
  ["random bytes", randomBytes(200_000).toString("base64")],
  [
    "what only begins like gzip",
    Buffer.concat([Buffer.from([0x1f, 0x8b]), randomBytes(64)]).toString(
      "base64",
    ),
  ],
  ["broken JSON", "{ not: json"],
])("%s is no secret", (_, value) => {
  expect(judge({ value })).toEqual([]);
});

test.each([
  { httpTokens: "required" },
  { secretId: "daytona-edge/prod/certificate.json-and-more-words" },
  { CERTIFICATE_SECRETS: "daytona-edge/prod/" },
  { password: "https://accounts.example.net/password/reset" },
  { token: "see-the-documentation-for-what-this-is-for" },
])("%j names a secret, and is none", (inputs) => {
  expect(judge(inputs)).toEqual([]);
});

test("what the engine keeps encrypted is no text to read", () => {
  expect(
    judge({
      token: {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        ciphertext: `v1:${randomBytes(9).toString("base64")}:${randomBytes(60).toString("base64")}`,
      },
    }),
  ).toEqual([]);
});
