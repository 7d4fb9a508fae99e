/**
 * Drives the stack of the platform host. Prints what the engine found as JSON.
 * usage: stack.ts up|preview|destroy WORKDIR [KEY=JSON…]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import program from "../../../infra/index.ts";
import { baseSystemFile } from "../../../scripts/lab/base-system.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { openStack } from "../../../scripts/toolchain/stack.ts";
import { hostConfig } from "./stack-file.ts";

const [verb, workDir = "", ...changes] = process.argv.slice(2);
const config = hostConfig();
for (const change of changes) {
  const [key = "", ...value] = change.split("=");
  config[`daytona-edge:${key}`] = JSON.parse(value.join("=")) as unknown;
}
// Servers of the lab reach no mirror.
const host = config["daytona-edge:host"] as Record<string, unknown>;
host.baseSystem ??= baseSystemFile();
const secrets = labSecrets();
mkdirSync(workDir, { recursive: true });
writeFileSync(
  join(workDir, "Pulumi.yaml"),
  "name: daytona-edge\nruntime: nodejs\n",
);
writeFileSync(join(workDir, "Pulumi.host.yaml"), stringify({ config }));
process.env.CLOUDFLARE_API_TOKEN = secrets.cloudflareToken;

await using stack = await openStack({
  stackName: "host",
  workDir,
  program: async () => ({ ...(await program()) }),
  secrets: { "daytona-edge:sshPrivateKey": secrets.operator.private },
});
try {
  switch (verb) {
    case "up": {
      const { changed } = await stack.up();
      const outputs = await stack.outputs();
      console.log(JSON.stringify({ changed, outputs }));
      break;
    }
    case "preview":
      console.log(JSON.stringify(await stack.preview()));
      break;
    case "destroy":
      await stack.destroy();
      break;
    default:
      throw new Error(`unknown verb ${String(verb)}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();
