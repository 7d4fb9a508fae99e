/** A bundle on a server, without a stack. */
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { bundleTarball } from "../../../infra/machine/tarball.ts";
import { type Outcome, labExec } from "../lab.ts";

/**
 * Installs a bundle as an `up` would.
 * @param before shell that changes what the installer sees of the server
 */
export async function install(
  machine: string,
  bundle: Bundle,
  before = ":",
): Promise<Outcome> {
  return labExec(
    machine,
    [
      ...["unshare", "--mount", "sh"],
      "-ec",
      `${before}
       work=$(mktemp -d); trap 'rm -rf $work' EXIT; tar -xz -C $work --no-same-owner; $work/install.sh`,
    ],
    { input: await bundleTarball(bundle) },
  );
}
