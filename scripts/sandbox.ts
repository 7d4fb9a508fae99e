/** `npm run sandbox`: who may reach a sandbox, changed on running edges. */
import { Command, InvalidArgumentError, Option } from "commander";
import { sandboxId } from "../infra/edge/revocations.ts";
import { connectBySsh } from "../infra/platforms/host/ssh.ts";
import { ServerStore } from "./deployments/server-store.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { labStack } from "./own-stack.ts";
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
    await change(options.stack, (store) =>
      revoke(store, sandbox, options.port, Date.now()),
    );
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
    await change(options.stack, (store) =>
      restore(store, sandbox, options.port),
    );
    console.log(`Restored ${placeText(sandbox, options.port)}.`);
  });

program
  .command("revocations")
  .description("what is revoked, one a line")
  .addOption(stack())
  .action(async (options: { stack: StackName }) => {
    const revocations = await withStore(options.stack, readRevocations);
    for (const { sandbox, port, notBefore } of revocations) {
      const moment = new Date(notBefore * 1000).toISOString();
      console.log(`${placeText(sandbox, port)}  issued before ${moment}`);
    }
  });

/** Live state of the edge of a stack of the lab. */
async function withStore<T>(
  name: StackName,
  use: (store: ServerStore, address: string) => Promise<T>,
): Promise<T> {
  await ensureInside();
  const { host, privateKey } = labStack(name);
  await using connection = await connectBySsh(host, privateKey);
  return await use(new ServerStore(host, connection), host.address);
}

/** Changes the revocations, and waits until the edge has put them to work. */
async function change(
  name: StackName,
  to: (store: ServerStore) => Promise<string>,
): Promise<void> {
  await withStore(name, async (store, address) => {
    await waitUntilLive(address, "revocations.json", await to(store));
  });
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
