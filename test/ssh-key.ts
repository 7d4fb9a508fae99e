/** Keys as an operator has them: ssh-keygen's. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Not of ssh2's generator: one in 256 of its keys is not a key, for it drops
 * a zero at the front of the public half (ssh2 lib/keygen.js).
 * @returns the texts of both files
 */
export function sshKey(passphrase = ""): { private: string; public: string } {
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-key-"));
  try {
    const file = join(directory, "id_ed25519");
    execFileSync("ssh-keygen", [
      ...["-q", "-t", "ed25519", "-a", "1"],
      ...["-C", "", "-N", passphrase, "-f", file],
    ]);
    return {
      private: readFileSync(file, "utf8"),
      public: readFileSync(`${file}.pub`, "utf8").trim(),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
