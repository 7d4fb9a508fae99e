/** The road out of this deployment, as verify tries it: rules, addresses, sandboxes. */
import { Resolver } from "node:dns/promises";
import { gatewayAddress } from "../../infra/gateway/address.ts";
import {
  type EgressRule,
  parseEgressRules,
} from "../../infra/gateway/rules.ts";
import { LabError, run } from "../lab/command.ts";
import { daytona } from "../lab/daytona-server.ts";
import { edgeAddresses } from "../lab/machine-addresses.ts";
import { inMachine } from "../lab/machine.ts";
import { firstSandbox, secondSandbox } from "../lab/sandboxes.ts";
import { labSecrets } from "../lab/secrets.ts";
import { stackConfig } from "../stack.ts";
import { bypassProbes } from "./bypass/probes.ts";
import { type OnGateway, refusalsOf } from "./bypass/refusals.ts";
import { bypassTarget } from "./bypass/target.ts";
import type { EgressTarget } from "./egress.ts";
import { forbiddenHost } from "./forbidden-host.ts";
import type { Probe } from "./probe.ts";
import { type Execute, ruleProbes } from "./rule-probes.ts";

const execute: Execute = (line) => daytona().execute(firstSandbox, line);

const onGateway: OnGateway = (script) =>
  run(inMachine("daytona", ["sh", "-ec", script]));

/** The rules as the stack file writes them. */
export function stackRules(): EgressRule[] {
  const { allow } = stackConfig<{ allow: unknown }>("egress");
  return parseEgressRules(allow).rules;
}

export async function egressTarget(): Promise<EgressTarget> {
  const rules = stackRules();
  return {
    rules,
    gateway: gatewayAddress,
    secrets: [labSecrets().openRouterKey],
    forbidden: await forbiddenHost(rules),
    execute,
  };
}

/**
 * Ways around the list that may be tried here, and then what is allowed.
 * @param numbers rows to try; all when empty
 */
export async function bypassSuite(
  numbers: readonly string[],
): Promise<Probe[]> {
  const egress = await egressTarget();
  const { server, rootServers = [] } = stackConfig<{
    server: { address: string };
    rootServers?: string[];
  }>("gateway");
  const upstream = new URL(stackConfig<{ url: string }>("upstream").url);
  const resolver = new Resolver();
  const target = await bypassTarget({
    ...egress,
    places: [
      upstream.host,
      ...["22", "3000"].map((port) => `${server.address}:${port}`),
      ...["22", "8404"].map((port) => `${gatewayAddress}:${port}`),
    ],
    otherSandbox: await sandboxAddress(secondSandbox),
    nameServers: [server.address, ...rootServers],
    edge: {
      ipv4: edgeAddresses.edge.ipv4,
      host: `${firstSandbox}-3000.${stackConfig<string>("domain")}`,
    },
    addressOf: async (host) => {
      const [address] = await resolver.resolve4(host);
      if (address === undefined) throw new LabError(`${host} has no address`);
      return address;
    },
  });
  const refusals = await refusalsOf(
    await sandboxAddress(firstSandbox),
    onGateway,
  );
  return [
    ...bypassProbes(target, numbers, execute, refusals),
    ...ruleProbes(egress, ["allowed"]),
  ];
}

/** IPv4 address of a sandbox. */
async function sandboxAddress(id: string): Promise<string> {
  const { result } = await daytona().execute(id, "hostname -I");
  const [address = ""] = result.trim().split(" ");
  return address;
}
