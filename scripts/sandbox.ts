/** `npm run sandbox`: who may reach a sandbox, changed on running edges. */
import { Command, InvalidArgumentError, Option } from "commander";
import { DirectoryStore } from "../infra/certificate/directory-store.ts";
import { sandboxId } from "../infra/edge/revocations.ts";
import { storeDirectory } from "./checkout.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { edgeAddresses } from "./lab/machine-addresses.ts";
import { waitUntilLive } from "./sandbox/live.ts";
import { readRevocations, restore, revoke } from "./sandbox/revoke.ts";
import { type StackName, stackConfig, stackNames } from "./stack.ts";

interface PlaceOptions {
  readonly port?: number;
  readonly stack: StackName;
}

const program = new Command("npm run sandbox --")
  .description("Who may reach a sandbox, changed on running edges.")
  .showHelpAfterError();

const stack = () =>
  new Option("--stack <name>", "which stack")
    .choices(stackNames)
    .default("signed");

program
  .command("revoke")
  .description(
    "refuse every token issued for a sandbox until now, and cut its open streams; where access is not signed, refuse everybody, and every signed preview link of any sandbox",
  )
  .argument("<sandbox>", "id of the sandbox", idOfSandbox)
  .option("--port <number>", "this port only", portNumber)
  .addOption(stack())
  .action(async (sandbox: string, options: PlaceOptions) => {
    const store = await openStore(options.stack);
    const content = await revoke(store, sandbox, options.port, Date.now());
    await takeEffect(options.stack, content);
    const refused =
      stackConfig("access", options.stack) === "signed"
        ? "what was issued until now is refused"
        : "everybody is refused, and every signed preview link of any sandbox";
    console.log(
      `Revoked ${placeText(sandbox, options.port)}: ${refused}, and its streams are cut. Take it back: npm run sandbox -- restore ${sandbox} --stack ${options.stack}`,
    );
  });

program
  .command("restore")
  .description("take revocations of a sandbox back")
  .argument("<sandbox>", "id of the sandbox", idOfSandbox)
  .option("--port <number>", "of this port only", portNumber)
  .addOption(stack())
  .action(async (sandbox: string, options: PlaceOptions) => {
    const store = await openStore(options.stack);
    await takeEffect(
      options.stack,
      await restore(store, sandbox, options.port),
    );
    console.log(`Restored ${placeText(sandbox, options.port)}.`);
  });

program
  .command("revocations")
  .description("what is revoked, one a line")
  .addOption(stack())
  .action(async (options: { stack: StackName }) => {
    const revocations = await readRevocations(await openStore(options.stack));
    for (const { sandbox, port, notBefore } of revocations) {
      const moment = new Date(notBefore * 1000).toISOString();
      console.log(`${placeText(sandbox, port)}  issued before ${moment}`);
    }
  });

/** Machine that is the edge of a stack of the lab. */
function edgeMachine(name: StackName): keyof typeof edgeAddresses {
  return (
    stackConfig<{ edge: keyof typeof edgeAddresses } | undefined>("local", name)
      ?.edge ?? "edge"
  );
}

async function openStore(name: StackName): Promise<DirectoryStore> {
  await ensureInside();
  return new DirectoryStore(storeDirectory(edgeMachine(name)));
}

async function takeEffect(name: StackName, content: string): Promise<void> {
  const { ipv4 } = edgeAddresses[edgeMachine(name)];
  await waitUntilLive(ipv4, "revocations.json", content);
}

function placeText(sandbox: string, port: number | undefined): string {
  return port === undefined ? sandbox : `port ${String(port)} of ${sandbox}`;
}

function idOfSandbox(text: string): string {
  if (sandboxId.test(text)) return text;
  throw new InvalidArgumentError(
    "A sandbox's id is a lower-case UUID of version 4; see: npm run lab -- sandbox list",
  );
}

function portNumber(text: string): number {
  if (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535) {
    return Number(text);
  }
  throw new InvalidArgumentError("A port is a number from 1 to 65535.");
}

await main(async () => {
  await program.parseAsync();
});
