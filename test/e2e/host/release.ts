/** What servers of the host suites run. */
import { type Release, releases } from "../../../scripts/lab/machine-spec.ts";

const asked = process.env.DAYTONA_EDGE_HOST_RELEASE;

/**
 * What DAYTONA_EDGE_HOST_RELEASE says, for all suites whose servers may run
 * anything: all but install.test.ts and server-firewall.test.ts.
 * @param usual what they run where it says nothing
 * @throws Error when the lab has no such image
 */
export function serverRelease(usual: Release): Release {
  if (asked === undefined) return usual;
  const release = releases.find((name) => name === asked);
  if (release) return release;
  throw new Error(
    `DAYTONA_EDGE_HOST_RELEASE: ${asked} is no release that the lab has; write one of ${releases.join(", ")}`,
  );
}
