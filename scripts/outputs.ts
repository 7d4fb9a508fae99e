/** `npm run outputs`: the contract that LumiLink reads, as JSON. */
import { Command } from "commander";
import {
  type StackOptions,
  openDeployment,
  withStack,
} from "./deployments/open.ts";
import { main } from "./failure.ts";

const command = withStack(
  new Command("npm run outputs --"),
  "the lab's stack local",
)
  .description("The outputs of the stack, as JSON on standard output.")
  .option("--show-secrets", "print secret values instead of [secret]")
  .parse();

await main(async () => {
  const options = command.opts<StackOptions & { showSecrets?: boolean }>();
  await using deployment = await openDeployment(
    options.stack ?? "local",
    options,
  );
  const outputs = await deployment.outputs(options);
  console.log(JSON.stringify(outputs, undefined, 2));
});
