/** `npm run sandbox`: who may reach a sandbox, changed on running edges. */
import { Command, InvalidArgumentError } from "commander";
import { sandboxId } from "../infra/edge/revocations.ts";
import { revocations } from "../infra/machine/live-state.ts";
import {
  type StackOptions,
  openDeployment,
  withStack,
} from "./deployments/open.ts";
import { main } from "./failure.ts";
import { takesEffect } from "./sandbox/live.ts";
import { readRevocations, restore, revoke } from "./sandbox/revoke.ts";

interface PlaceOptions extends StackOptions {
  readonly port?: number;
}

const open = ({ stack = "signed", ...options }: StackOptions) =>
  openDeployment(stack, options);

const program = new Command("npm run sandbox --")
  .description("Who may reach a sandbox, changed on running edges.")
  .showHelpAfterError();

const command = (name: string) =>
  withStack(program.command(name), "the lab's stack signed");

command("revoke")
  .description(
    "refuse every token issued for a sandbox until now, and cut its open streams; where access is not signed, refuse everybody, and every signed preview link of any sandbox",
  )
  .argument("<sandbox>", "id of the sandbox", idOfSandbox)
  .option("--port <number>", "this port only", portNumber)
  .action(async (sandbox: string, options: PlaceOptions) => {
    await using deployment = await open(options);
    const { name, config, store } = deployment;
    const content = await revoke(store, sandbox, options.port, Date.now());
    const effect = await takesEffect(deployment, revocations.name, content);
    const refused =
      config.access === "signed"
        ? "what was issued until now is refused"
        : "everybody is refused, and every signed preview link of any sandbox";
    console.log(
      `Revoked ${placeText(sandbox, options.port)} on the stack ${name}: ${refused}, and its streams are cut${effect}. Take it back: npm run sandbox -- restore ${sandbox} --stack ${name}`,
    );
  });

command("restore")
  .description("take revocations of a sandbox back")
  .argument("<sandbox>", "id of the sandbox", idOfSandbox)
  .option("--port <number>", "of this port only", portNumber)
  .action(async (sandbox: string, options: PlaceOptions) => {
    await using deployment = await open(options);
    const { name, store } = deployment;
    const content = await restore(store, sandbox, options.port);
    const effect = await takesEffect(deployment, revocations.name, content);
    console.log(
      `Restored ${placeText(sandbox, options.port)} on the stack ${name}${effect}.`,
    );
  });

command("revocations")
  .description("what is revoked, one a line")
  .action(async (options: StackOptions) => {
    await using deployment = await open(options);
    for (const { sandbox, port, notBefore } of await readRevocations(
      deployment.store,
    )) {
      const moment = new Date(notBefore * 1000).toISOString();
      console.log(`${placeText(sandbox, port)}  issued before ${moment}`);
    }
  });

function placeText(sandbox: string, port: number | undefined): string {
  return port === undefined ? sandbox : `port ${String(port)} of ${sandbox}`;
}

function idOfSandbox(text: string): string {
  if (sandboxId.test(text)) return text;
  throw new InvalidArgumentError(
    "A sandbox's id is a lower-case UUID of version 4; Daytona's dashboard and API show it; for the lab: npm run lab -- sandbox list",
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
