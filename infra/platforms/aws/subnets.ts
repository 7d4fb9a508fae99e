/** Networks of zones, cut from a VPC's. */
import { Address4, Address6 } from "ip-address";

/** A VPC is cut into so many parts; zones take the first ones. */
const parts = 16;

/**
 * The network of a zone in a VPC.
 * @param cidr the VPC's, for example `10.80.0.0/16`
 * @returns for example `10.80.16.0/20`
 */
export function subnetOf(cidr: string, zone: number): string {
  const vpc = new Address4(cidr);
  const prefix = vpc.subnetMask + Math.log2(parts);
  const size = 1n << BigInt(32 - prefix);
  const start = vpc.startAddress().bigInt() + BigInt(zone) * size;
  return `${Address4.fromBigInt(start).correctForm()}/${String(prefix)}`;
}

/**
 * The IPv6 network of a zone in a VPC: AWS takes a /64 for each subnet.
 * @param cidr the VPC's /56, which AWS gives
 */
export function subnetOf6(cidr: string, zone: number): string {
  const start =
    new Address6(cidr).startAddress().bigInt() + (BigInt(zone) << 64n);
  return `${Address6.fromBigInt(start).correctForm()}/64`;
}

/** The address with this number in a network. */
export function addressIn6(cidr: string, number: bigint): string {
  const start = new Address6(cidr).startAddress().bigInt();
  return Address6.fromBigInt(start + number).correctForm();
}

/** Whether two networks share an address. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [new Address4(one), new Address4(other)];
  return a.isInSubnet(b) || b.isInSubnet(a);
}
