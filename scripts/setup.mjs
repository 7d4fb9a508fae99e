// Runs before every npm script, on whatever Node the computer has (18 or
// newer), so it is plain JavaScript without dependencies. It makes
// node_modules match package-lock.json; from then on npm's PATH finds the
// Node 24 that the lock file carries.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}node_modules/.daytona-edge-lock`;

function fail(message) {
  console.error(message);
  process.exit(1);
}

if (process.platform !== "linux") {
  fail(
    `daytona-edge: this is ${process.platform}; the lab boots Linux machines, so it needs a Linux kernel. Run it in a Linux virtual machine (for example Lima, WSL 2 or a cloud server).`,
  );
}
if (!["x64", "arm64"].includes(process.arch)) {
  fail(
    `daytona-edge: no Node.js 24 comes from npm for ${process.arch}; use an x64 or arm64 computer.`,
  );
}

const lock = createHash("sha256")
  .update(readFileSync(`${root}package-lock.json`))
  .digest("hex");
const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
if (installed !== lock) {
  console.error("Installing npm packages (once per change of the lock file) …");
  const result = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    // npm 11 warns about configuration keys that it does not know itself.
    env: { ...process.env, npm_config_loglevel: "error" },
  });
  if (result.error || result.status !== 0) {
    fail(
      `daytona-edge: "npm ci" failed (${result.error?.message ?? `exit code ${result.status}`}); its messages are above. Check the network and the free disk space, then run the command again.`,
    );
  }
  writeFileSync(stamp, lock);
}
