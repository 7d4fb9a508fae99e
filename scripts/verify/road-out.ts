/** The road out of a deployment, as verify tries it. */
import { Resolver } from "node:dns/promises";
import { healthPort } from "../../infra/machine/places.ts";
import type { Deployment } from "../deployments/deployment.ts";
import { denialUnits } from "../egress/denials.ts";
import { LabError } from "../lab/command.ts";
import { bypassProbes } from "./bypass/probes.ts";
import { refusalsOf } from "./bypass/refusals.ts";
import { bypassTarget } from "./bypass/target.ts";
import type { EgressTarget } from "./egress.ts";
import { forbiddenHost } from "./forbidden-host.ts";
import type { Probe } from "./probe.ts";
import { ruleProbes } from "./rule-probes.ts";

export interface RoadOut {
  readonly deployment: Deployment;
  /** Address of the gateway as sandboxes see it. */
  readonly gateway: string;
  /** The gateway's credentials, as far as they are known. */
  readonly secrets: readonly string[];
  /** Id of the sandbox that commands run in, and of another on its runner. */
  readonly sandbox: string;
  readonly otherSandbox: string;
  /** Where neighbours listen, as `address:port`. */
  readonly places: readonly string[];
  /** Name servers beside the sandboxes' own. */
  readonly nameServers: readonly string[];
  /** The edge's IPv4 address, and the name of a sandbox there. */
  readonly edge: { readonly ipv4: string; readonly host: string };
}

export async function egressTarget(road: RoadOut): Promise<EgressTarget> {
  const { deployment, gateway, secrets, sandbox } = road;
  const rules = deployment.config.egress?.egressRules ?? [];
  return {
    rules,
    gateway,
    secrets,
    forbidden: await forbiddenHost(rules),
    execute: (line) => deployment.execInSandbox(sandbox, line),
  };
}

/**
 * Ways around the list that may be tried here, and then what is allowed.
 * @param numbers rows to try; all when empty
 */
export async function bypassSuite(
  road: RoadOut,
  numbers: readonly string[],
): Promise<Probe[]> {
  const egress = await egressTarget(road);
  const { places, nameServers, edge, sandbox, otherSandbox } = road;
  const resolver = new Resolver();
  const target = await bypassTarget({
    ...egress,
    ...{ nameServers, edge },
    places: [
      ...places,
      ...[22, healthPort].map((port) => `${road.gateway}:${String(port)}`),
    ],
    otherSandbox: await addressOf(road, otherSandbox),
    addressOf: async (host) => {
      const [address] = await resolver.resolve4(host);
      if (address === undefined) throw new LabError(`${host} has no address`);
      return address;
    },
  });
  // Sandboxes of two runners may have the same address: rows of all count.
  const refusals = refusalsOf(await addressOf(road, sandbox), (since) =>
    road.deployment.logs({ of: "gateways", since, units: denialUnits }),
  );
  return [
    ...bypassProbes(target, numbers, egress.execute, refusals),
    ...ruleProbes(egress, ["allowed"]),
  ];
}

/** IPv4 address of a sandbox. */
async function addressOf({ deployment }: RoadOut, id: string): Promise<string> {
  const { result } = await deployment.execInSandbox(id, "hostname -I");
  const [address = ""] = result.trim().split(" ");
  return address;
}
