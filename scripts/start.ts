/** `npm start`: the whole system on this computer, proven by the request's tests. */
import { Command } from "commander";
import { cacheDirectory, compileCache } from "./checkout.ts";
import { main } from "./failure.ts";
import { runInside } from "./inside.ts";
import {
  livingLab,
  startNamespaces,
  stopNamespaces,
} from "./lab/namespaces.ts";
import { firstSandbox } from "./lab/sandboxes.ts";
import { worldIsGone } from "./lab/surroundings.ts";
import { prepare } from "./prepare.ts";
import { step } from "./progress.ts";
import { ensureRoot } from "./root.ts";
import { stackConfig } from "./stack.ts";
import { ensurePulumi } from "./toolchain/pulumi.ts";

const deployScript = `${import.meta.dirname}/deploy.ts`;
const verifyScript = `${import.meta.dirname}/verify.ts`;

const command = new Command("npm start --")
  .description(
    `Boots the lab on this computer, runs "pulumi up" in it and verifies both roads.
Safe to run again at any time: it repairs what is down and changes nothing else.
Installs missing programs with apt, keeps images and tools in ${cacheDirectory};
"npm stop" ends and removes everything else.`,
  )
  .option("--no-verify", "boot and deploy only")
  .option("--no-stacks", "boot the lab's internet and Daytona only")
  .parse();

interface Options {
  readonly stacks: boolean;
  readonly verify: boolean;
}

await main(async () => {
  process.env.NODE_COMPILE_CACHE ??= compileCache;
  if (process.getuid?.() !== 0) {
    // Built and downloaded as the user, so that the cache stays the user's.
    await step("Pulumi CLI", ensurePulumi);
    ensureRoot();
  }
  await prepare();
  if (livingLab() === undefined) await step("lab namespaces", newLab);
  const { stacks, verify: wanted } = command.opts<Options>();
  const deploy = [deployScript, ...(stacks ? [] : ["--no-stacks"])];
  let code = await runInside(deploy);
  if (code === worldIsGone) {
    await step("the lab's internet had died: a new lab", newLab);
    code = await runInside(deploy);
  }
  const verify = wanted && stacks;
  if (code === 0 && verify) code = await runInside([verifyScript]);
  if (code === 0 && verify) {
    const app = `https://${firstSandbox}-3000.${stackConfig<string>("domain")}`;
    console.log(`
Both roads are open. Try:
  npm run --silent lab -- curl -I ${app}
  npm run --silent lab -- exec ${firstSandbox} -- curl -sS https://api.github.com/zen
  npm run --silent lab -- --help
End and remove everything: npm stop`);
  }
  process.exitCode = code;
});

/**
 * Makes the namespaces. What an ended lab left (after a reboot, or a kill -9)
 * goes first: it describes a world that is gone, and so does the stack's state.
 */
async function newLab(): Promise<void> {
  await stopNamespaces();
  await startNamespaces();
}
