/** `npm start`: the whole system on this computer, proven by the request's tests. */
import { Command } from "commander";
import { cacheDirectory } from "./checkout.ts";
import { main } from "./failure.ts";
import { installPackages, missingPackages } from "./host-tools.ts";
import { runInside } from "./inside.ts";
import { ensureImage } from "./lab/image.ts";
import {
  livingLab,
  startNamespaces,
  stopNamespaces,
} from "./lab/namespaces.ts";
import { step } from "./progress.ts";
import { ensureRoot } from "./root.ts";
import { ensurePulumi } from "./toolchain/pulumi.ts";

new Command("npm start --")
  .description(
    `Boots the lab on this computer, runs "pulumi up" in it and verifies both roads.
Safe to run again at any time: it repairs what is down and changes nothing else.
Installs missing programs with apt, keeps images and tools in ${cacheDirectory};
"npm stop" ends and removes everything else.`,
  )
  .parse();

await main(async () => {
  if (process.getuid?.() !== 0) {
    // Built and downloaded as the user, so that the cache stays the user's.
    await step("Pulumi CLI", ensurePulumi);
    ensureRoot();
  }
  const packages = missingPackages();
  if (packages.length > 0) {
    await step(`install ${packages.join(", ")} with apt`, () =>
      installPackages(packages),
    );
  }
  await Promise.all([
    step("Pulumi CLI", ensurePulumi),
    step("Debian 13 image", ensureImage),
  ]);
  if (!livingLab()) {
    await step("lab namespaces", async () => {
      // What an ended lab left (a reboot, a kill -9) describes a world that is
      // gone: the stack's state too.
      await stopNamespaces();
      await startNamespaces();
    });
  }
  for (const script of ["deploy.ts", "verify.ts"]) {
    const code = runInside([`${import.meta.dirname}/${script}`]);
    if (code !== 0) {
      process.exitCode = code;
      return;
    }
  }
});
