import { expect, test } from "vitest";
import { privateKeyProblem } from "../../../infra/platforms/host/private-key.ts";
import { sshKey } from "../../ssh-key.ts";

const key = sshKey();
const lines = key.private.trim().split("\n");
const locked = sshKey("a passphrase");
const fromFile = "--secret daytona-edge:sshPrivateKey < ~/.ssh/id_ed25519";

test("a key as its file has it, with or without the last line's end", () => {
  expect(privateKeyProblem(key.private)).toBeUndefined();
  expect(privateKeyProblem(lines.join("\n"))).toBeUndefined();
});

test.each([
  ["the first line alone", lines[0] ?? "", fromFile],
  ["blanks in place of line breaks", lines.join(" "), fromFile],
  ["not the last line", lines.slice(0, -1).join("\n"), fromFile],
  ["a public key", key.public, "set the private one"],
  ["a passphrase", locked.private, "without it"],
])("%s: the fix, and nothing of the key", (_, text, fix) => {
  const problem = privateKeyProblem(text);
  expect(problem).toContain(fix);
  for (const line of lines.slice(1, -1)) expect(problem).not.toContain(line);
});
