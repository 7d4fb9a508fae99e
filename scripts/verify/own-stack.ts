/** What verify tries at any stack, with sandboxes of its operator's. */
import type { AccessKey } from "../../client/index.ts";
import { accessKeysMap } from "../../infra/edge/access-keys.ts";
import { gatewayAddress } from "../../infra/gateway/address.ts";
import { healthPort } from "../../infra/machine/places.ts";
import { proxyPort } from "../../infra/platforms/host/daytona-ports.ts";
import { hostsOf } from "../../infra/gateway/rule-maps.ts";
import { egressOf } from "../deployments/egress-of.ts";
import type { OpenDeployment } from "../deployments/open.ts";
import { LabError } from "../lab/command.ts";
import { egressProbes } from "./egress.ts";
import { ingressProbes } from "./ingress.ts";
import type { Probe } from "./probe.ts";
import { type RoadOut, egressTarget } from "./road-out.ts";

export interface Sandboxes {
  /** Id of a sandbox that anybody may reach. */
  readonly sandbox: string;
  /** A port that answers HEAD there. */
  readonly port: number;
  /** Id of another one on the same runner, for the ways around the list. */
  readonly otherSandbox: string;
}

/** Ports of Daytona's, of SSH and of the edge that a sandbox might try. */
const neighbourPorts = [22, 443, 3000, proxyPort, healthPort];

/**
 * A probe of each promise that can be tried at any stack.
 * @param road asked for where there is an egress
 */
export async function ownProbes(
  deployment: OpenDeployment,
  sandboxes: Sandboxes,
  road: () => Promise<RoadOut>,
): Promise<Probe[]> {
  const { domain, egress, access, upstream } = deployment.config;
  const key = access === "signed" ? await accessKey(deployment) : undefined;
  const asksStrangers = access !== "public" || upstream.mode === "daytona";
  return [
    ...ingressProbes({ ...sandboxes, domain, key, asksStrangers }),
    ...(egress ? egressProbes(await egressTarget(await road())) : []),
  ];
}

/** One of the keys whose tokens count; every edge knows all of them. */
async function accessKey({ name, store }: OpenDeployment): Promise<AccessKey> {
  const content = await store.read("access.json");
  if (content === undefined) {
    throw new LabError(
      `--stack ${name}: its store has no access.json, and without a key verify signs no token; run pulumi up first`,
    );
  }
  const keys = accessKeysMap(Buffer.from(content).toString());
  const [kid = "", secret = ""] = keys.split(/[ \n]/);
  return { kid, secret };
}

/** @throws LabError when the stack has the ingress only */
export async function roadOut(
  deployment: OpenDeployment,
  { sandbox, otherSandbox, port }: Sandboxes,
): Promise<RoadOut> {
  const { name, config } = deployment;
  const egress = egressOf(name, config);
  const { ipv4 } = await deployment.publicAddresses();
  const [edge = ""] = ipv4;
  return {
    ...{ deployment, sandbox, otherSandbox, secrets: [] },
    gateway: await gatewayOf(deployment, sandbox),
    places: neighbourPorts.map((port) => `${edge}:${String(port)}`),
    nameServers: [...ipv4, ...(egress.gateway?.rootServers ?? [])],
    edge: { ipv4: edge, host: `${sandbox}-${String(port)}.${config.domain}` },
  };
}

/** The address that a sandbox is told for a listed name; on a server it is always one. */
async function gatewayOf(
  { platform, config, execInSandbox }: OpenDeployment,
  sandbox: string,
): Promise<string> {
  const [host] = hostsOf(config.egress?.egressRules ?? []).filter(
    (name) => !name.startsWith("*."),
  );
  if (platform === "host" || host === undefined) return gatewayAddress;
  const { result } = await execInSandbox(sandbox, `getent ahostsv4 ${host}`);
  return /^\S+/.exec(result)?.[0] ?? gatewayAddress;
}
