/** `npm run outputs`: the contract that LumiLink reads, as JSON. */
import { Command } from "commander";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { stackDirectory } from "./stack.ts";
import { openStack } from "./toolchain/stack.ts";

const command = new Command("npm run outputs --")
  .description("The outputs of the stack, as JSON on standard output.")
  .option("--show-secrets", "print secret values instead of [secret]")
  .parse();

await main(async () => {
  ensureInside();
  await using stack = await openStack({
    stackName: "local",
    workDir: stackDirectory,
    program: () => Promise.resolve({}),
  });
  const { showSecrets } = command.opts<{ showSecrets?: boolean }>();
  const outputs = Object.entries(await stack.outputs()).map(
    ([name, output]) =>
      [
        name,
        output.secret && !showSecrets ? "[secret]" : (output.value as unknown),
      ] as const,
  );
  console.log(JSON.stringify(Object.fromEntries(outputs), undefined, 2));
});
