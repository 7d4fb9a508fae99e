/**
 * What is there at AWS before a program runs, from a table that a test gives,
 * and the stand-in's answers to questions about it. Answers are in the shapes
 * of the real provider, with the fields that programs here read.
 */
import type { Properties } from "./properties.ts";

type Ids<Kind> = Readonly<Record<string, Readonly<Kind>>>;

/** By id. */
export interface ExistingAws {
  readonly vpcs?: Ids<{
    cidrBlocks: readonly string[];
    ipv6CidrBlocks?: readonly string[];
    /** Both are on when absent. */
    enableDnsSupport?: boolean;
    enableDnsHostnames?: boolean;
  }>;
  readonly subnets?: Ids<{
    vpcId: string;
    availabilityZone: string;
    cidrBlock: string;
    ipv6CidrBlock?: string;
    mapPublicIpOnLaunch?: boolean;
  }>;
  readonly routeTables?: Ids<{
    vpcId: string;
    main?: boolean;
    subnetIds?: readonly string[];
    /** Fields of the real provider's routes; the rest of each is "". */
    routes: readonly Readonly<Record<string, string>>[];
  }>;
  readonly internetGateways?: Ids<{ vpcId: string }>;
  readonly natGateways?: Ids<{ vpcId: string }>;
  readonly networkInterfaces?: Ids<{
    vpcId: string;
    subnetId: string;
    interfaceType: string;
    description: string;
    /** Whether it is AWS' own. */
    requesterManaged: boolean;
  }>;
}

/** The stand-in's functions about them, by token. */
export function existingFunctions(
  existing: ExistingAws,
): Record<string, (args: Properties) => Properties> {
  const { vpcs = {}, subnets = {}, routeTables = {} } = existing;
  const { internetGateways = {}, natGateways = {} } = existing;
  const { networkInterfaces = {} } = existing;
  return {
    "aws:ec2/getVpcs:getVpcs": (args) => idsIn(vpcs, args, "vpc-id"),
    "aws:ec2/getVpc:getVpc": ({ id }) => {
      const vpc = one("VPC", vpcs, id);
      return {
        id,
        enableDnsSupport: vpc.enableDnsSupport ?? true,
        enableDnsHostnames: vpc.enableDnsHostnames ?? true,
        cidrBlockAssociations: vpc.cidrBlocks.map((cidrBlock) => ({
          ...{ cidrBlock, state: "associated" },
        })),
        ipv6CidrBlockAssociations: (vpc.ipv6CidrBlocks ?? []).map(
          (ipv6CidrBlock) => ({ ipv6CidrBlock, state: "associated" }),
        ),
      };
    },
    "aws:ec2/getSubnets:getSubnets": (args) =>
      idsIn(subnets, args, "subnet-id"),
    "aws:ec2/getSubnet:getSubnet": ({ id }) => ({
      id,
      ipv6CidrBlock: "",
      mapPublicIpOnLaunch: false,
      assignIpv6AddressOnCreation: false,
      ...one("Subnet", subnets, id),
    }),
    "aws:ec2/getRouteTables:getRouteTables": (args) => idsIn(routeTables, args),
    "aws:ec2/getRouteTable:getRouteTable": ({ routeTableId }) => {
      const table = one("Route Table", routeTables, routeTableId);
      const { main = false, subnetIds = [], routes } = table;
      return {
        ...{ id: routeTableId, routeTableId, vpcId: table.vpcId },
        associations: [
          ...(main ? [{ main, subnetId: "" }] : []),
          ...subnetIds.map((subnetId) => ({ main: false, subnetId })),
        ],
        routes: routes.map((route) => ({ ...unsetRoute, ...route })),
      };
    },
    "aws:ec2/getInternetGateway:getInternetGateway": (args) => {
      const { ids } = idsIn(internetGateways, args);
      const [id] = ids;
      if (id === undefined) {
        throw new Error("no matching EC2 Internet Gateway found");
      }
      return { id, internetGatewayId: id };
    },
    "aws:ec2/getNatGateways:getNatGateways": (args) => idsIn(natGateways, args),
    "aws:ec2/getNetworkInterfaces:getNetworkInterfaces": (args) =>
      idsIn(networkInterfaces, args),
    "aws:ec2/getNetworkInterface:getNetworkInterface": ({ id }) => ({
      id,
      ...one("Network Interface", networkInterfaces, id),
    }),
  };
}

/** What a route of the real provider has, beside what is set. */
const unsetRoute = Object.fromEntries(
  [
    "carrierGatewayId",
    "cidrBlock",
    "coreNetworkArn",
    "destinationPrefixListId",
    "egressOnlyGatewayId",
    "gatewayId",
    "instanceId",
    "ipv6CidrBlock",
    "localGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
  ].map((field) => [field, ""]),
);

/** How AWS' filters are named, and which field they look at. */
const filterFields: Readonly<Record<string, string>> = {
  "attachment.vpc-id": "vpcId",
  "vpc-id": "vpcId",
  "subnet-id": "subnetId",
  "requester-managed": "requesterManaged",
};

function idsIn(
  kind: Ids<object>,
  args: Properties,
  idFilter?: string,
): Properties & { readonly ids: string[] } {
  const filters = (args.filters ?? []) as { name: string; values: string[] }[];
  const asked = [
    ...filters,
    ...(typeof args.vpcId === "string"
      ? [{ name: "vpc-id", values: [args.vpcId] }]
      : []),
  ];
  const ids = Object.entries(kind)
    .filter(([id, fields]) =>
      asked.every(({ name, values }) => {
        if (name === idFilter) return values.includes(id);
        // All that are in the table live.
        if (name === "state") return true;
        const field = filterFields[name];
        if (field === undefined) throw new Error(`no filter ${name} here`);
        return values.includes(String((fields as Properties)[field]));
      }),
    )
    .map(([id]) => id);
  return { id: "eu-central-1", ids };
}

/** @throws Error in the words of the real provider */
function one<Kind>(what: string, kind: Ids<Kind>, id: unknown): Kind {
  const found = kind[String(id)];
  if (!found) throw new Error(`no matching EC2 ${what} found`);
  return found;
}
