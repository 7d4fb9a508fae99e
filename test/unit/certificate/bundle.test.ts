import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type CertificateBundleConfig,
  certificateBundle,
} from "../../../infra/certificate/bundle.ts";
import {
  credentialsFile,
  parseCertificateCredentials,
} from "../../../infra/certificate/credentials.ts";
import { assignment } from "../../../infra/certificate/environment-file.ts";
import { temporaryDirectory } from "../temporary.ts";

const config: CertificateBundleConfig = {
  domain: "sandbox.example.net",
  zoneId: "0".repeat(32),
  cloudflareUrl: undefined,
  certificate: {
    directory: "https://acme.example.net/directory",
    caaIdentity: "example.net",
    profile: "",
    keyType: "ecdsa-p256",
  },
};

const environment = (of: CertificateBundleConfig) =>
  String(
    certificateBundle(of).files.find(({ path }) => path.endsWith("/env"))
      ?.content,
  );

test("the same configuration is the same bundle, byte for byte", () => {
  expect(certificateBundle(config)).toEqual(certificateBundle(config));
});

test("what is not configured is left out, and an empty profile is not", () => {
  const text = environment(config);
  expect(text).not.toMatch(/ALIAS|CONTACT|BASE_URL/);
  expect(text).toContain('CERTIFICATE_PROFILE=""\n');
});

test("the challenge's own zone goes before the domain's", () => {
  const challenge = { zoneId: "1".repeat(32), name: "acme.example.org" };
  const { certificate } = config;
  const text = environment({
    ...config,
    certificate: { ...certificate, challenge },
  });
  expect(text).toContain(`CERTIFICATE_ZONE="${challenge.zoneId}"\n`);
  expect(text).toContain('CERTIFICATE_CHALLENGE_ALIAS="acme.example.org"\n');
});

test("a shell reads each value as it was", async () => {
  const values = ["a b", `it's "$HOME" \`id\` \\ & ; #`, "", "*.example.net"];
  const file = join(await temporaryDirectory(), "env");
  writeFileSync(
    file,
    values
      .map((value, index) => assignment(`V${String(index)}`, value))
      .join(""),
  );
  const read = execFileSync("sh", [
    "-c",
    `. "$0"; printf '%s\\n' ${values.map((_, index) => `"$V${String(index)}"`).join(" ")}`,
    file,
  ]);
  expect(read.toString()).toBe(`${values.join("\n")}\n`);
});

test("a value of two lines is refused", () => {
  expect(() => assignment("NAME", "a\nB=b")).toThrow("NAME must be one line");
});

const token = "token-0123456789";
const other = "other-0123456789";

test.each([
  ["the stack's token", {}, { CLOUDFLARE_API_TOKEN: token }],
  [
    "the challenge's goes before it",
    { challengeToken: other },
    { CLOUDFLARE_API_TOKEN: other },
  ],
  [
    "an external account",
    { externalAccount: { keyId: "key-0123", hmacKey: other } },
    {
      CLOUDFLARE_API_TOKEN: token,
      ACME_EAB_KID: "key-0123",
      ACME_EAB_HMAC_KEY: other,
    },
  ],
])("credentials: %s", (_, given, credentials) => {
  expect(parseCertificateCredentials(given, token)).toEqual({
    credentials,
    problems: [],
  });
});

test("no credential is ever shown, and each wrong one is named", () => {
  const { problems } = parseCertificateCredentials(
    {
      challengeToken: "s3cret",
      externalAccount: { keyId: 5, hmacKey: "two\nlines" },
    },
    token,
  );
  expect(problems.map(({ key }) => key)).toEqual([
    "challengeToken",
    "externalAccount.keyId",
    "externalAccount.hmacKey",
  ]);
  expect(JSON.stringify(problems)).not.toMatch(/s3cret|two/);
});

test("one that is misspelt is not passed over: another token would go", () => {
  const { credentials, problems } = parseCertificateCredentials(
    { challengetoken: other },
    token,
  );
  expect(credentials).toEqual({});
  expect(problems).toEqual([
    { key: "", message: expect.stringContaining("challengetoken") as unknown },
  ]);
});

test("without any token the fix is said", () => {
  expect(parseCertificateCredentials({}, undefined).problems).toEqual([
    {
      key: "",
      message: expect.stringMatching(/cloudflare:apiToken/) as unknown,
    },
  ]);
});

test("the file is one that systemd and a shell read", () => {
  expect(credentialsFile({ CLOUDFLARE_API_TOKEN: token })).toBe(
    `CLOUDFLARE_API_TOKEN="${token}"\n`,
  );
});
