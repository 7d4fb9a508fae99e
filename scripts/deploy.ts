/**
 * The part of `npm start` that runs inside the lab: boots the surroundings,
 * brings the stack up with the real engine, and lets the sandboxes trust the
 * gateway's authority in the documented way.
 */
import program from "../infra/index.ts";
import { checkout } from "./checkout.ts";
import { main } from "./failure.ts";
import { LabError } from "./lab/command.ts";
import { daytona } from "./lab/daytona-server.ts";
import { ensureImage } from "./lab/image.ts";
import {
  bootMachine,
  isRunning,
  machineNames,
  removeMachine,
} from "./lab/machine.ts";
import { isInsideLab } from "./lab/namespaces.ts";
import { ensureSecrets } from "./lab/secrets.ts";
import { ensureSurroundings, worldIsGone } from "./lab/surroundings.ts";
import { step } from "./progress.ts";
import {
  type StackName,
  layStackDirectory,
  stackConfig,
  stackDirectory,
} from "./stack.ts";
import { openStack } from "./toolchain/stack.ts";

await main(async () => {
  if (!isInsideLab()) {
    throw new LabError(
      "scripts/deploy.ts is the part of npm start that runs inside the lab's namespaces; run npm start.",
    );
  }
  process.chdir(checkout);
  // The records, the accounts and the authority of the internet's stand-ins
  // live in its memory: without that machine the lab's world is another one.
  if (machineNames().includes("internet") && !isRunning("internet")) {
    process.exit(worldIsGone);
  }
  const secrets = await ensureSecrets();
  const stacks = !process.argv.includes("--no-stacks");
  await step("internet and Daytona (stand-ins), servers", async () => {
    await ensureSurroundings({
      image: await ensureImage(),
      secrets,
      domain: stackConfig<string>("domain"),
      zoneId: stackConfig<{ zoneId: string }>("cloudflare").zoneId,
      edges: stacks ? ["edge", "edge-signed"] : [],
    });
    // One of a test that was killed belongs to nobody.
    await removeMachine("edge-spare");
    // A machine of a test that died keeps its disk and comes back.
    await Promise.all(machineNames().map(bootMachine));
  });

  if (!stacks) return;
  layStackDirectory(secrets);
  process.env.CLOUDFLARE_API_TOKEN = secrets.cloudflareToken;
  const login = {
    "daytona-edge:sshPrivateKey": secrets.operator.private,
  };
  await step("pulumi up", (report) =>
    up("local", report, {
      ...login,
      "daytona-edge:credentials": JSON.stringify({
        openrouter: secrets.openRouterKey,
      }),
    }),
  );
  await step("pulumi up, the stack with signed access", (report) =>
    up("signed", report, login),
  );

  await step("sandboxes trust the gateway's authority", async () => {
    const sandboxes = await daytona().list();
    const started = sandboxes.filter(({ state }) => state === "started");
    await Promise.all(started.map(({ id }) => trustAuthority(id)));
  });
});

async function up(
  stackName: StackName,
  report: (line: string) => void,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await using stack = await openStack({
    stackName,
    workDir: stackDirectory,
    program: async () => ({ ...(await program()) }),
    secrets,
    onProgress: report,
  });
  const result = await stack.up();
  const sources = Map.groupBy(stack.providers, ({ source }) => source);
  sources.delete("plugin");
  report(
    [
      result.changed ? "changed" : "no changes",
      ...[...sources].map(
        ([source, providers]) =>
          `providers ${providers.map(({ name }) => name).join(", ")}: ${source}`,
      ),
    ].join("; "),
  );
}

/** The documented command, as a user's snapshot would run it. */
async function trustAuthority(sandbox: string): Promise<void> {
  const { exitCode, result } = await daytona().execute(
    sandbox,
    "curl -fsS --retry 10 --retry-delay 1 --retry-all-errors http://gateway.internal/install-ca.sh | sh",
  );
  if (exitCode === 0) return;
  throw new LabError(
    `Sandbox ${sandbox} could not install the gateway's certificate (exit code ${String(exitCode)}):\n${result}`,
  );
}
