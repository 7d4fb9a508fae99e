/** What a lab needs of this computer before it can be started. */
import { installPackages, missingPackages } from "./host-tools.ts";
import { ensureBaseSystem } from "./lab/base-system.ts";
import { ensureImage } from "./lab/image.ts";
import { step } from "./progress.ts";
import { ensurePulumi } from "./toolchain/pulumi.ts";

/**
 * Installs missing programs and makes what the cache does not have.
 * @throws LabError that says which of it cannot be had, and why
 */
export async function prepare(): Promise<void> {
  const packages = missingPackages();
  if (packages.length > 0) {
    await step(`install ${packages.join(", ")} with apt`, () =>
      installPackages(packages),
    );
  }
  await Promise.all([
    step("Pulumi CLI", ensurePulumi),
    step("Debian 13 image", () => ensureImage()),
    step("base system", ensureBaseSystem),
  ]);
}
