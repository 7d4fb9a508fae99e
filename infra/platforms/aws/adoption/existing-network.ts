/** What AWS says of a network that the stack did not make; it judges nothing. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { AdoptedIds } from "../settings.ts";

export interface ExistingNetwork {
  readonly vpcId: string;
  readonly cidrs: readonly string[];
  readonly ipv6Cidrs: readonly string[];
  readonly dnsSupport: boolean;
  readonly dnsHostnames: boolean;
  /** Those that were asked for and are there. */
  readonly subnets: readonly ExistingSubnet[];
  /** All of the VPC. */
  readonly routeTables: readonly ExistingRouteTable[];
  readonly internetGateways: readonly string[];
  readonly natGateways: readonly string[];
  /** Interfaces that are not of machines in the subnets that were asked for. */
  readonly strangers: readonly Stranger[];
}

export interface ExistingSubnet {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
  /** Empty when it has none. */
  readonly ipv6Cidr: string;
  readonly givesPublicAddresses: boolean;
}

export interface ExistingRouteTable {
  readonly id: string;
  /** It is that of subnets which name none. */
  readonly isMain: boolean;
  readonly subnetIds: readonly string[];
  readonly routes: readonly ExistingRoute[];
}

export interface ExistingRoute {
  /** A network, or a list of AWS' of them. */
  readonly destination: string;
  /** Id of what it leads to; `local` inside the VPC, empty when AWS names nothing. */
  readonly target: string;
}

export interface Stranger {
  readonly id: string;
  readonly subnetId: string;
  /** AWS' word for what it is, for example `interface`, `nat_gateway`, `vpc_endpoint`. */
  readonly type: string;
  readonly description: string;
}

/** @returns undefined when the VPC is not there */
export async function existingNetwork(
  { vpcId, subnetIds }: AdoptedIds,
  opts: pulumi.InvokeOptions,
): Promise<ExistingNetwork | undefined> {
  // Lists of ids are empty where AWS has none; a question for one would fail.
  const { ids: found } = await aws.ec2.getVpcs(
    { filters: [{ name: "vpc-id", values: [vpcId] }] },
    opts,
  );
  if (found.length === 0) return undefined;
  const [vpc, subnets, routeTables, internetGateways, nats, strangers] =
    await Promise.all([
      aws.ec2.getVpc({ id: vpcId }, opts),
      existingSubnets(subnetIds, opts),
      existingRouteTables(vpcId, opts),
      attachedInternetGateways(vpcId, opts),
      aws.ec2.getNatGateways(
        {
          vpcId,
          filters: [{ name: "state", values: ["pending", "available"] }],
        },
        opts,
      ),
      strangersIn(vpcId, subnetIds, opts),
    ]);
  return {
    vpcId,
    cidrs: vpc.cidrBlockAssociations
      .filter(({ state }) => state === "associated")
      .map(({ cidrBlock }) => cidrBlock),
    ipv6Cidrs: vpc.ipv6CidrBlockAssociations
      .filter(({ state }) => state === "associated")
      .map(({ ipv6CidrBlock }) => ipv6CidrBlock),
    dnsSupport: vpc.enableDnsSupport,
    dnsHostnames: vpc.enableDnsHostnames,
    subnets,
    routeTables,
    internetGateways,
    natGateways: nats.ids,
    strangers,
  };
}

/** The table that a subnet's packets go by. */
export function routeTableOf(
  { routeTables }: Pick<ExistingNetwork, "routeTables">,
  subnetId: string,
): ExistingRouteTable | undefined {
  return (
    routeTables.find(({ subnetIds }) => subnetIds.includes(subnetId)) ??
    routeTables.find(({ isMain }) => isMain)
  );
}

async function existingSubnets(
  subnetIds: readonly string[],
  opts: pulumi.InvokeOptions,
): Promise<ExistingSubnet[]> {
  const { ids } = await aws.ec2.getSubnets(
    { filters: [{ name: "subnet-id", values: [...subnetIds] }] },
    opts,
  );
  const asked = subnetIds.filter((id) => ids.includes(id));
  return Promise.all(
    asked.map(async (id) => {
      const subnet = await aws.ec2.getSubnet({ id }, opts);
      return {
        id,
        vpcId: subnet.vpcId,
        zone: subnet.availabilityZone,
        cidr: subnet.cidrBlock,
        ipv6Cidr: subnet.ipv6CidrBlock,
        givesPublicAddresses:
          subnet.mapPublicIpOnLaunch || subnet.assignIpv6AddressOnCreation,
      };
    }),
  );
}

async function existingRouteTables(
  vpcId: string,
  opts: pulumi.InvokeOptions,
): Promise<ExistingRouteTable[]> {
  const { ids } = await aws.ec2.getRouteTables({ vpcId }, opts);
  return Promise.all(
    ids.toSorted().map(async (id) => {
      const table = await aws.ec2.getRouteTable({ routeTableId: id }, opts);
      return {
        id,
        isMain: table.associations.some(({ main }) => main),
        subnetIds: table.associations
          .map(({ subnetId }) => subnetId)
          .filter((subnetId) => subnetId !== ""),
        routes: table.routes.map(
          ({ cidrBlock, ipv6CidrBlock, destinationPrefixListId, ...to }) => ({
            destination: cidrBlock || ipv6CidrBlock || destinationPrefixListId,
            // One of them is set; the provider fills the others with "".
            target: Object.values(to).find((id) => id !== "") ?? "",
          }),
        ),
      };
    }),
  );
}

/** AWS' provider has no list of them, and its question for one fails when there is none. */
async function attachedInternetGateways(
  vpcId: string,
  opts: pulumi.InvokeOptions,
): Promise<string[]> {
  try {
    const { id } = await aws.ec2.getInternetGateway(
      { filters: [{ name: "attachment.vpc-id", values: [vpcId] }] },
      opts,
    );
    return [id];
  } catch (error) {
    if (String(error).includes("no matching EC2 Internet Gateway found")) {
      return [];
    }
    throw error;
  }
}

async function strangersIn(
  vpcId: string,
  subnetIds: readonly string[],
  opts: pulumi.InvokeOptions,
): Promise<Stranger[]> {
  const inVpc = { name: "vpc-id", values: [vpcId] };
  const [all, machines] = await Promise.all([
    aws.ec2.getNetworkInterfaces({ filters: [inVpc] }, opts),
    aws.ec2.getNetworkInterfaces(
      {
        filters: [
          inVpc,
          { name: "subnet-id", values: [...subnetIds] },
          // AWS' own are balancers, databases, functions and endpoints.
          { name: "requester-managed", values: ["false"] },
        ],
      },
      opts,
    ),
  ]);
  const strange = all.ids.filter((id) => !machines.ids.includes(id));
  return Promise.all(
    strange.toSorted().map(async (id) => {
      const { subnetId, interfaceType, description } =
        await aws.ec2.getNetworkInterface({ id }, opts);
      return { id, subnetId, type: interfaceType, description };
    }),
  );
}
