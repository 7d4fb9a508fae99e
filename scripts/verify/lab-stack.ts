/** What verify tries in the lab besides: its demo application says more, and a second stack has signed access. */
import { type AccessKey, readOutputs } from "../../client/index.ts";
import { rateWindow } from "../../infra/edge/limits.ts";
import type { Deployment } from "../deployments/deployment.ts";
import type { OpenDeployment } from "../deployments/open.ts";
import { daytona } from "../lab/daytona-server.ts";
import { edgeAddresses } from "../lab/machine-addresses.ts";
import { firstSandbox, secondSandbox, strayName } from "../lab/sandboxes.ts";
import { labSecrets } from "../lab/secrets.ts";
import { restore, revoke } from "../sandbox/revoke.ts";
import { containmentProbes } from "./containment.ts";
import { egressProbes } from "./egress.ts";
import { demoProbes, ingressProbes } from "./ingress.ts";
import { limitsProbes } from "./limits.ts";
import { observabilityProbes } from "./observability.ts";
import { type Sandboxes, roadOut } from "./own-stack.ts";
import type { Probe } from "./probe.ts";
import { revocationProbes } from "./revocation.ts";
import { type RoadOut, egressTarget } from "./road-out.ts";
import { signedProbes } from "./signed.ts";

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

/** A probe of each promise, with both of the lab's stacks. */
export async function labProbes(
  local: OpenDeployment,
  signedStack: Deployment,
): Promise<Probe[]> {
  const { domain } = local.config;
  const { store, config } = signedStack;
  const outputs = readOutputs(await signedStack.outputs({ showSecrets: true }));
  const { key } = outputs.access;
  if (!key) throw new Error("The stack has no key to sign tokens with");
  const signed = { outputs, key, sandbox: firstSandbox };
  const { limits } = config;
  return [
    ...ingressProbes({ ...labSandboxes, domain }),
    ...demoProbes({
      domain,
      publicSandbox: firstSandbox,
      privateSandbox: secondSandbox,
      previewToken: labSecrets().previewToken,
      stopped: stoppedSandbox,
    }),
    ...signedProbes({
      ...signed,
      nextKey: await nextKey(signedStack),
      otherSandbox: secondSandbox,
    }),
    ...revocationProbes({
      ...signed,
      sandbox: secondSandbox,
      // Other probes ask it on the other port meanwhile.
      port: 8080,
      otherPort: 3000,
      neighbour: firstSandbox,
      revoke: async (sandbox, port) => {
        await revoke(store, sandbox, port, Date.now());
      },
      restore: async (sandbox, port) => {
        await restore(store, sandbox, port);
      },
    }),
    ...limitsProbes({
      ...signed,
      requests: limits.sandbox.requestsPerSecond * rateWindow,
      headSeconds: limits.headSeconds,
    }),
    ...containmentProbes({
      ...signed,
      otherSandbox: secondSandbox,
      stray: strayName.id,
      halfClosedSeconds: limits.halfClosedSeconds,
    }),
    ...observabilityProbes({
      ...signed,
      health: `${edgeAddresses["edge-signed"].ipv4}:8404`,
      log: () => requestRows(signedStack),
    }),
    ...egressProbes(await egressTarget(await labRoadOut(local))),
  ];
}

/** The key that will sign after the next rotation, which every edge knows. */
async function nextKey({ store }: Deployment): Promise<AccessKey> {
  const content = await store.read("access.json");
  const { keys } = JSON.parse(content ?? "{}") as { keys?: AccessKey[] };
  const next = keys?.at(-1);
  if (!next) throw new Error("access.json in the store holds no keys");
  return next;
}

async function stoppedSandbox() {
  const { id } = await daytona().add({ public: true });
  await daytona().stop(id);
  return { id, remove: () => daytona().remove(id) };
}

/** The edges' rows of the last minute, one a request. */
async function requestRows({ logs }: Deployment): Promise<string> {
  const rows = await logs({
    of: "edges",
    since: new Date(Date.now() - 60_000),
    units: ["daytona-edge.service"],
  });
  return rows.map(({ message }) => message).join("\n");
}
