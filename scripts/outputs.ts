/** `npm run outputs`: the contract that LumiLink reads, as JSON. */
import { Command, Option } from "commander";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { stackDirectory, stackNames } from "./stack.ts";
import { openStack } from "./toolchain/stack.ts";

const command = new Command("npm run outputs --")
  .description("The outputs of the stack, as JSON on standard output.")
  .option("--show-secrets", "print secret values instead of [secret]")
  .addOption(
    new Option("--stack <name>", "which stack")
      .choices(stackNames)
      .default("local"),
  )
  .parse();

await main(async () => {
  await ensureInside();
  const { showSecrets, stack: stackName } = command.opts<{
    showSecrets?: boolean;
    stack: string;
  }>();
  await using stack = await openStack({
    stackName,
    workDir: stackDirectory,
    program: () => Promise.resolve({}),
  });
  const outputs = await stack.outputs({ showSecrets });
  console.log(JSON.stringify(outputs, undefined, 2));
});
