/** Whether new machines get addresses: of their subnets, and fixed public ones. */
import {
  type Address,
  DescribeAddressesCommand,
  DescribeSubnetsCommand,
  type EC2Client,
  type Subnet,
} from "@aws-sdk/client-ec2";
import * as z from "zod";
import type { MachineGroup } from "../deployments/aws-groups.ts";
import type { AwsDeployment } from "../deployments/aws.ts";
import { roomRow, sizesOf, staying } from "./aws-room.ts";
import { type Row, bad, lookAt, warning } from "./row.ts";

export async function addressRows(
  { aws, config, outputs }: AwsDeployment,
  client: EC2Client,
  groups: readonly MachineGroup[],
  mayLook: string,
): Promise<Row[]> {
  const { region } = aws;
  const SubnetIds = [...new Set(groups.flatMap(({ subnetIds }) => subnetIds))];
  const rows = await Promise.all([
    lookAt(
      "subnets",
      async () => {
        // Asked about none, AWS tells of all.
        if (SubnetIds.length === 0) return [];
        const { Subnets = [] } = await client.send(
          new DescribeSubnetsCommand({ SubnetIds }),
        );
        return Subnets.map((subnet) => subnetRow(subnet, groups, region));
      },
      mayLook,
    ),
    ...(config.egress
      ? [
          lookAt(
            "gateways, public addresses",
            async () => {
              const { gateway } = gatewayOutput.parse(await outputs());
              const { Addresses = [] } = await client.send(
                new DescribeAddressesCommand({}),
              );
              return publicAddressRow(
                gateway.publicAddresses,
                Addresses,
                groups.filter(({ of }) => of === "gateways"),
                region,
              );
            },
            mayLook,
          ),
        ]
      : []),
  ]);
  return rows.flat();
}

const gatewayOutput = z.object({
  gateway: z.object({ publicAddresses: z.array(z.string()) }),
});

/** A machine takes one address of its zone's subnet. */
export function subnetRow(
  subnet: Subnet,
  groups: readonly MachineGroup[],
  region: string,
): Row {
  const { SubnetId: id = "", AvailabilityZone: zone = "" } = subnet;
  const free = subnet.AvailableIpAddressCount ?? 0;
  const here = groups.filter(({ subnetIds }) => subnetIds.includes(id));
  const more = (size: "replaced" | "most") =>
    here.reduce((sum, group) => {
      const share = Math.ceil(sizesOf(group)[size] / group.subnetIds.length);
      const present = staying(group).filter((machine) => machine.zone === zone);
      return sum + Math.max(0, share - present.length);
    }, 0);
  return roomRow({
    what: `subnet ${id}`,
    found: `${String(free)} addresses of ${subnet.CidrBlock ?? ""} free in ${zone}`,
    ...{ free, replaced: more("replaced"), most: more("most") },
    fix: `new machines start in the other zones, or not at all; free some addresses (who has them: aws ec2 describe-network-interfaces --region ${region} --filters Name=subnet-id,Values=${id}), or lower maximum in the stack file`,
  });
}

/**
 * A gateway without one of these addresses serves nobody.
 * @param wanted as the stack's outputs have them
 * @param found all of the account's in this region
 */
export function publicAddressRow(
  wanted: readonly string[],
  found: readonly Address[],
  gateways: readonly MachineGroup[],
  region: string,
): Row {
  const what = "gateways, public addresses";
  const held = wanted.flatMap(
    (ipv4) => found.find(({ PublicIp }) => PublicIp === ipv4) ?? [],
  );
  const released = wanted.filter(
    (ipv4) => !held.some(({ PublicIp }) => PublicIp === ipv4),
  );
  if (released.length > 0) {
    return bad(
      what,
      `changed by hand: ${released.join(", ")} released`,
      `aws ec2 allocate-address --region ${region} --address ${released[0] ?? ""} takes it back unless somebody else has it by now; otherwise pulumi up --refresh makes another one, for other people's allow lists`,
    );
  }
  const taken = held.filter(({ AssociationId }) => AssociationId !== undefined);
  const machines = gateways.flatMap((group) => group.machines);
  const strangers = taken.filter(
    ({ InstanceId }) => !machines.some(({ id }) => id === InstanceId),
  );
  const more = (size: "replaced" | "most") =>
    gateways.reduce(
      (sum, group) =>
        sum + Math.max(0, sizesOf(group)[size] - staying(group).length),
      0,
    );
  const [stranger] = strangers;
  const fix = `a gateway that finds none free waits, unhealthy; ${
    stranger
      ? `release those of others: aws ec2 disassociate-address --region ${region} --association-id ${stranger.AssociationId ?? ""}`
      : "gateways that leave give theirs back once their streams have ended"
  }`;
  const row = roomRow({
    what,
    found:
      `${String(taken.length)} of ${String(wanted.length)} taken` +
      (strangers.length > 0
        ? `, by others than the stack's gateways: ${strangers
            .map(
              ({ PublicIp = "", InstanceId = "no instance" }) =>
                `${PublicIp} (${InstanceId})`,
            )
            .join(", ")}`
        : ""),
    free: wanted.length - taken.length,
    replaced: more("replaced"),
    most: more("most"),
    fix,
  });
  return row.state === "good" && strangers.length > 0
    ? warning(what, row.found, fix)
    : row;
}
