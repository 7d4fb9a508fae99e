/** What is wrong with a network that shall be adopted; pure. */
import type { Problem } from "../../../config/problems.ts";
import { isOpen } from "../../../policies/security-groups.ts";
import type { AdoptedIds } from "../settings.ts";
import { overlap } from "../subnets.ts";
import {
  type ExistingNetwork,
  type ExistingRoute,
  routeTableOf,
} from "./existing-network.ts";

export interface Adoption {
  /** Where it stands in the configuration, for example `aws.services.adopt`. */
  readonly key: string;
  readonly ids: AdoptedIds;
  readonly region: string;
  /** Undefined when the VPC is not there. */
  readonly network: ExistingNetwork | undefined;
}

/** For edges and gateways: public subnets of both kinds of addresses. */
export function servicesProblems(adoption: Adoption): Problem[] {
  const { key, network } = adoption;
  if (!network) return [missing(adoption)];
  const own = network.subnets.filter(({ vpcId }) => vpcId === network.vpcId);
  return [
    ...(network.dnsSupport
      ? []
      : [
          {
            key: `${key}.vpcId`,
            message: `"${network.vpcId}" has enableDnsSupport off, so that machines find neither AWS nor Debian's mirrors; switch it on`,
          },
        ]),
    ...subnetProblems(adoption, network),
    ...own.flatMap(({ id, ipv6Cidr }) => {
      const table = routeTableOf(network, id);
      const isPublic = (everything: string) =>
        table?.routes.some(
          ({ destination, target }) =>
            destination === everything && target.startsWith("igw-"),
        ) ?? false;
      const at = subnetKey(adoption, id);
      const no = (everything: string) => ({
        key: at,
        message: `"${id}" has no route ${everything} to an internet gateway in ${table?.id ?? "a route table"}; the front door and its machines stand in public subnets: add the route, or write a public subnet`,
      });
      return [
        ...(isPublic("0.0.0.0/0") ? [] : [no("0.0.0.0/0")]),
        ...(ipv6Cidr === ""
          ? [
              {
                key: at,
                message: `"${id}" has no IPv6 network; the front door is dual-stack: associate one, with a route ::/0 to the internet gateway`,
              },
            ]
          : isPublic("::/0")
            ? []
            : [no("::/0")]),
      ];
    }),
  ];
}

/**
 * For Daytona's runners: no way out but the gateway, and nobody else in it.
 * @param reached networks that runners may have a road to: the gateways' and
 *   Daytona's
 */
export function sandboxesProblems(
  adoption: Adoption,
  reached: readonly string[],
): Problem[] {
  const { key, network } = adoption;
  if (!network) return [missing(adoption)];
  const { vpcId } = network;
  const onVpc = (message: string) => ({ key: `${key}.vpcId`, message });
  const waysOut = [
    ...network.internetGateways.map((id) => `internet gateway ${id}`),
    ...network.natGateways.map((id) => `NAT gateway ${id}`),
    ...network.ipv6Cidrs.map((cidr) => `IPv6 network ${cidr}`),
  ];
  return [
    // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html
    ...(
      [
        ["enableDnsSupport", network.dnsSupport],
        ["enableDnsHostnames", network.dnsHostnames],
      ] as const
    )
      .filter(([, isOn]) => !isOn)
      .map(([attribute]) =>
        onVpc(
          `"${vpcId}" has ${attribute} off, so that the listed hosts are not the gateway in it; switch it on`,
        ),
      ),
    ...waysOut.map((way) =>
      onVpc(
        `"${vpcId}" has the ${way}; sandboxes have no way out but the gateway: remove it, or write a VPC without`,
      ),
    ),
    ...network.routeTables.flatMap(({ id, routes }) =>
      routes
        .filter((route) => !isAllowed(route, reached))
        .map(({ destination, target }) =>
          onVpc(
            `"${vpcId}" has a route to ${destination} by ${target || "something that AWS does not name"} in ${id}; sandboxes reach the gateway, and by peering what aws.sandboxes.controlPlane lists: remove the route, or list where it leads`,
          ),
        ),
    ),
    ...subnetProblems(adoption, network),
    ...network.subnets
      .filter(({ givesPublicAddresses }) => givesPublicAddresses)
      .map(({ id }) => ({
        key: subnetKey(adoption, id),
        message: `"${id}" gives machines public addresses; sandboxes have none: switch mapPublicIpOnLaunch and assignIpv6AddressOnCreation off`,
      })),
    ...network.strangers.map(({ id, type, subnetId, description }) =>
      onVpc(
        `"${vpcId}" holds ${id} (${type}${description === "" ? "" : `, "${description}"`}) in ${subnetId}, which is no machine in subnetIds; private zones and DNS Firewall would be its, too, so that the VPC may hold runners only: move it away, or else the gateway belongs on the runner hosts, as on the platform host`,
      ),
    ),
  ];
}

/** Networks that are peered share no address. */
export function overlapProblems(
  services: { readonly key: string; readonly cidrs: readonly string[] },
  sandboxes: { readonly key: string; readonly cidrs: readonly string[] },
): Problem[] {
  return sandboxes.cidrs.flatMap((cidr) =>
    services.cidrs
      .filter((other) => overlap(cidr, other))
      .map((other) => ({
        key: sandboxes.key,
        message: `${cidr} and ${services.key}, ${other}, share addresses; networks that are peered cannot`,
      })),
  );
}

function missing({ key, ids, region }: Adoption): Problem {
  return {
    key: `${key}.vpcId`,
    message: `"${ids.vpcId}" is not there; write a VPC of this account in ${region}`,
  };
}

function subnetKey({ key, ids }: Adoption, id: string): string {
  return `${key}.subnetIds[${String(ids.subnetIds.indexOf(id))}]`;
}

function subnetProblems(
  adoption: Adoption,
  { vpcId, subnets }: ExistingNetwork,
): Problem[] {
  return adoption.ids.subnetIds.flatMap((id, index) => {
    const key = subnetKey(adoption, id);
    const subnet = subnets.find((one) => one.id === id);
    if (!subnet) {
      return [
        {
          key,
          message: `"${id}" is not there; write a subnet of ${vpcId}`,
        },
      ];
    }
    const before = subnets
      .filter((one) => adoption.ids.subnetIds.indexOf(one.id) < index)
      .find(({ zone }) => zone === subnet.zone);
    return [
      ...(subnet.vpcId === vpcId
        ? []
        : [
            {
              key,
              message: `"${id}" is in ${subnet.vpcId}; write a subnet of ${vpcId}`,
            },
          ]),
      ...(before
        ? [
            {
              key,
              message: `"${id}" is in ${subnet.zone}, as ${before.id} is; write a subnet of another zone`,
            },
          ]
        : []),
    ];
  });
}

/** Inside the VPC, or by a peering to what runners may reach. */
function isAllowed(
  { destination, target }: ExistingRoute,
  reached: readonly string[],
): boolean {
  if (target === "local") return true;
  return (
    target.startsWith("pcx-") &&
    !destination.includes(":") &&
    !isOpen(destination) &&
    reached.some((network) => overlap(destination, network))
  );
}
