/** What servers of the host suites run, beside Debian 13. */
import { type Release, releases } from "../../../scripts/lab/machine-spec.ts";

const asked = process.env.DAYTONA_EDGE_HOST_RELEASE ?? "bookworm";

/**
 * Debian 12, or what DAYTONA_EDGE_HOST_RELEASE says.
 * @throws Error when the lab has no such image
 */
export function otherRelease(): Release {
  const release = releases.find((name) => name === asked);
  if (release) return release;
  throw new Error(
    `DAYTONA_EDGE_HOST_RELEASE: ${asked} is no release that the lab has; write one of ${releases.join(", ")}`,
  );
}
