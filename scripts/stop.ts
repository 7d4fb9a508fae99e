/** `npm stop`: ends the lab and removes all that it made, but the cache. */
import { Command } from "commander";
import {
  cacheDirectory,
  labDirectory,
  suiteLabDirectories,
} from "./checkout.ts";
import { main } from "./failure.ts";
import { stopNamespaces } from "./lab/namespaces.ts";
import { step } from "./progress.ts";
import { ensureRoot } from "./root.ts";

const command = new Command("npm stop --")
  .description(
    `Ends this checkout's lab: its machines, namespaces, control groups and .lab;
the test suites' labs as well, where "npm test" was killed or told to keep them.
Keeps images and tools in ${cacheDirectory}, which is safe to delete.`,
  )
  .option("--suites", "only the test suites' own labs")
  .parse();

await main(async () => {
  ensureRoot();
  const { suites } = command.opts<{ suites?: true }>();
  const labs = new Set(suiteLabDirectories());
  if (!suites) labs.add(labDirectory);
  await step("lab stopped and removed", () =>
    Promise.all([...labs].map((directory) => stopNamespaces(directory))),
  );
});
