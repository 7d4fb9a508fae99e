/**
 * The two networks as they are planned: made by the stack, or adopted, in which
 * case AWS is asked what they are before anything is made.
 */
import * as pulumi from "@pulumi/pulumi";
import { problemReport } from "../../config/problems.ts";
import {
  type ExistingNetwork,
  existingNetwork,
  routeTableOf,
} from "./adoption/existing-network.ts";
import {
  overlapProblems,
  sandboxesProblems,
  servicesProblems,
} from "./adoption/network-problems.ts";
import type { AdoptedIds, AwsSettings } from "./settings.ts";
import { subnetOf } from "./subnets.ts";

export interface PlannedNetwork {
  /** Addresses of its subnets, one a zone. */
  readonly subnets: readonly string[];
  /** What routes and rules know it by: all of a made one, the subnets of an adopted one. */
  readonly cidrs: readonly string[];
  /** The addresses that the VPC is made with, or what it is adopted by. */
  readonly vpc: { readonly cidr: string } | AdoptedNetwork;
}

export interface AdoptedNetwork {
  readonly vpcId: string;
  /** One a zone; `ipv6CidrBlock` is empty where there is none. */
  readonly subnets: readonly {
    readonly id: string;
    readonly ipv6CidrBlock: string;
  }[];
  /** Those that the subnets go by. */
  readonly routeTableIds: readonly string[];
}

/** What other parts of the stack need of a network, made or adopted. */
export interface NetworkParts {
  readonly vpcId: pulumi.Input<string>;
  /** One a zone. */
  readonly subnets: readonly {
    readonly id: pulumi.Input<string>;
    readonly ipv6CidrBlock: pulumi.Input<string>;
  }[];
  readonly routeTableIds: readonly pulumi.Input<string>[];
}

export interface Networks {
  readonly services: PlannedNetwork;
  readonly sandboxes: PlannedNetwork;
}

/** @throws pulumi.RunError that lists everything that is wrong with adopted ones */
export async function plannedNetworks(
  settings: Pick<AwsSettings, "region" | "zones" | "services" | "sandboxes">,
  opts: pulumi.InvokeOptions,
): Promise<Networks> {
  const { region, zones } = settings;
  const planned = async (kind: "services" | "sandboxes") => {
    const { cidr, adopt: ids } = settings[kind];
    if (!ids) {
      const key = `aws.${kind}.cidr`;
      return { key, cidrs: [cidr], network: madeNetwork(cidr, zones) };
    }
    const network = await existingNetwork(ids, opts);
    const key = `aws.${kind}.adopt`;
    return {
      key: `${key}.vpcId`,
      cidrs: network?.cidrs ?? [],
      network: adoptedNetwork(ids, network),
      adoption: { key, ids, region, network },
    };
  };
  const [services, sandboxes] = await Promise.all([
    planned("services"),
    planned("sandboxes"),
  ]);
  const problems = [
    ...(services.adoption ? servicesProblems(services.adoption) : []),
    ...(sandboxes.adoption
      ? sandboxesProblems(sandboxes.adoption, [
          ...services.cidrs,
          ...settings.sandboxes.controlPlane.map(({ cidr }) => cidr),
        ])
      : []),
    ...overlapProblems(services, sandboxes),
  ];
  if (problems.length > 0) {
    throw new pulumi.RunError(
      problemReport(
        `Pulumi.${pulumi.getStack()}.yaml`,
        `${pulumi.getProject()}:`,
        problems,
      ),
    );
  }
  return { services: services.network, sandboxes: sandboxes.network };
}

function madeNetwork(cidr: string, zones: number): PlannedNetwork {
  return {
    subnets: Array.from({ length: zones }, (_, zone) => subnetOf(cidr, zone)),
    cidrs: [cidr],
    vpc: { cidr },
  };
}

function adoptedNetwork(
  ids: AdoptedIds,
  network: ExistingNetwork | undefined,
): PlannedNetwork {
  const subnets = network?.subnets ?? [];
  const cidrs = subnets.map(({ cidr }) => cidr);
  const tables = subnets.flatMap(
    ({ id }) => (network && routeTableOf(network, id)?.id) ?? [],
  );
  return {
    subnets: cidrs,
    cidrs,
    vpc: {
      vpcId: ids.vpcId,
      subnets: subnets.map(({ id, ipv6Cidr }) => ({
        ...{ id, ipv6CidrBlock: ipv6Cidr },
      })),
      routeTableIds: [...new Set(tables)],
    },
  };
}
