/** Public addresses at EC2's stand-in, and who has them. */
import type { Moto } from "./moto.ts";

export interface PublicAddress {
  readonly allocation: string;
  readonly ipv4: string;
}

const first = (xml: string, tag: string) =>
  new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "";

export async function allocate(moto: Moto): Promise<PublicAddress> {
  const xml = await moto.query("ec2", "AllocateAddress", { Domain: "vpc" });
  return {
    allocation: first(xml, "allocationId"),
    ipv4: first(xml, "publicIp"),
  };
}

/** @returns the instance's id */
export async function instance(moto: Moto): Promise<string> {
  const xml = await moto.query("ec2", "RunInstances", {
    ...{ ImageId: "ami-12c6146b", MinCount: "1", MaxCount: "1" },
    InstanceType: "c7g.medium",
  });
  return first(xml, "instanceId");
}

export async function give(
  moto: Moto,
  { allocation }: PublicAddress,
  instanceId: string,
): Promise<void> {
  await moto.query("ec2", "AssociateAddress", {
    ...{ AllocationId: allocation, InstanceId: instanceId },
  });
}

export async function giveBack(
  moto: Moto,
  { ipv4 }: PublicAddress,
): Promise<void> {
  await moto.query("ec2", "DisassociateAddress", { PublicIp: ipv4 });
}

/** Instances that have these addresses, in their order; "" for one that is free. */
export async function holders(
  moto: Moto,
  addresses: readonly PublicAddress[],
): Promise<string[]> {
  return Promise.all(
    addresses.map(async ({ allocation }) =>
      first(
        await moto.query("ec2", "DescribeAddresses", {
          "AllocationId.1": allocation,
        }),
        "instanceId",
      ),
    ),
  );
}
