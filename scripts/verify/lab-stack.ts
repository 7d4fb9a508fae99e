/** What verify is told in the lab, where nobody has to name a sandbox. */
import type { OpenDeployment } from "../deployments/open.ts";
import { firstSandbox, secondSandbox } from "../lab/sandboxes.ts";
import { labSecrets } from "../lab/secrets.ts";
import { type Sandboxes, roadOut } from "./own-stack.ts";
import type { RoadOut } from "./road-out.ts";

export const labSandboxes: Sandboxes = {
  sandbox: firstSandbox,
  port: 3000,
  otherSandbox: secondSandbox,
};

/** @param local the lab's stack of that name */
export async function labRoadOut(local: OpenDeployment): Promise<RoadOut> {
  const { upstream, egress } = local.config;
  const server =
    upstream.mode === "daytona" ? new URL(upstream.url) : undefined;
  const { host = "", hostname = "" } = server ?? {};
  return {
    ...(await roadOut(local, labSandboxes)),
    secrets: [labSecrets().openRouterKey],
    // The gateway's server, which is Daytona's.
    places: [host, ...["22", "3000"].map((port) => `${hostname}:${port}`)],
    nameServers: [hostname, ...(egress?.gateway?.rootServers ?? [])],
  };
}
