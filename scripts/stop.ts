/** `npm stop`: ends the lab and removes all that it made, but the cache. */
import { Command } from "commander";
import { cacheDirectory, labDirectories } from "./checkout.ts";
import { main } from "./failure.ts";
import { stopNamespaces } from "./lab/namespaces.ts";
import { step } from "./progress.ts";
import { ensureRoot } from "./root.ts";

const command = new Command("npm stop --")
  .description(
    `Ends this checkout's lab: its machines, namespaces, control groups and .lab;
the test suites' second lab as well, where a killed "npm test" left one.
Keeps images and tools in ${cacheDirectory}, which is safe to delete.`,
  )
  .option("--suites", "only the test suites' own labs")
  .parse();

await main(async () => {
  ensureRoot();
  const { suites } = command.opts<{ suites?: true }>();
  await step("lab stopped and removed", async () => {
    for (const directory of labDirectories.slice(suites ? 1 : 0)) {
      await stopNamespaces(directory);
    }
  });
});
