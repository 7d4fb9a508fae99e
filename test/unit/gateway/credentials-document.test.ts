import { expect, test } from "vitest";
import {
  credentialsDocument,
  parseSecrets,
  verifyCredentials,
} from "../../../infra/gateway/credentials-document.ts";

test("what the stack writes comes out as it was", () => {
  const secrets = { openrouter: "sk-or-v1-0123", anthropic: "a+b/c=.~:-_" };
  const document = credentialsDocument(secrets);
  expect(verifyCredentials(document)).toEqual(secrets);
});

test.each([
  ["not JSON", "sk-or-v1-0123", "not JSON"],
  ["another version", '{"version":2,"credentials":{}}', "version"],
  [
    "more than is known",
    '{"version":1,"credentials":{},"x":1}',
    "Unrecognized",
  ],
  [
    "a secret with a line end",
    JSON.stringify({ version: 1, credentials: { a: "sk-or\nv1-0123" } }),
    "credentials.a is no secret",
  ],
  [
    "a short secret",
    '{"version":1,"credentials":{"a":"hunter2"}}',
    "8 to 2000",
  ],
])("%s is refused, and not repeated", (_, text, message) => {
  expect(() => verifyCredentials(text)).toThrow(message);
  expect(() => verifyCredentials(text)).not.toThrow(/sk-or|hunter/);
});

test("problems name secrets, and never say what they are", () => {
  const { problems } = parseSecrets({ Bad: "sk-or-v1-0123", ok: "a b", n: 5 });
  expect(problems.map(({ key }) => key).sort()).toEqual(["Bad", "n", "ok"]);
  expect(problems.find(({ key }) => key === "Bad")?.message).toBe(
    "is not a name of a secret; write lower-case letters, digits and hyphens, such as openrouter",
  );
  expect(JSON.stringify(problems)).not.toMatch(/sk-or|a b"/);
});
