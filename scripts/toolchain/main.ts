/** `npm run toolchain`: which Pulumi runs here, and where its providers come from. */
import { Command } from "commander";
import { main } from "../failure.ts";
import { step } from "../progress.ts";
import { providerSources } from "./providers/index.ts";
import { ensurePulumi } from "./pulumi.ts";
import { pulumiHome } from "./stack.ts";

new Command("npm run toolchain --")
  .description(
    `Finds or gets Pulumi's command line (PATH, the vendor's download, a build from
its Go module) and says of each provider whether its real plugin is used or a
stand-in, for computers where plugins cannot be downloaded.`,
  )
  .parse();

await main(async () => {
  const pulumi = await step("Pulumi CLI", ensurePulumi);
  console.log(`pulumi ${String(pulumi.version)}: ${pulumi.command}`);
  for (const { name, version, source } of await providerSources(
    pulumi,
    pulumiHome,
  )) {
    console.log(`provider ${name} ${version}: ${source}`);
  }
});
