/**
 * Public addresses that stay while machines come and go: what others write into
 * their allow lists. Each machine takes one when it boots
 * (machine/public-address.sh).
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { publicAddressCount } from "./capacity.ts";
import type { PublicAddress } from "./machine/user-data.ts";
import type { AwsSettings } from "./settings.ts";

export interface PublicAddresses {
  readonly eips: readonly aws.ec2.Eip[];
  /** As machines are told them. */
  readonly listed: pulumi.Output<PublicAddress[]>;
}

export function publicAddresses(
  name: string,
  machines: Pick<AwsSettings["gateway"], "minimum" | "maximum">,
  parent: pulumi.Resource,
): PublicAddresses {
  const eips = Array.from(
    { length: publicAddressCount(machines) },
    (_, index) =>
      new aws.ec2.Eip(
        `${name}-${String(index)}`,
        { domain: "vpc" },
        // Other people's lists say it.
        { parent, protect: true, retainOnDelete: true },
      ),
  );
  return {
    eips,
    listed: pulumi.all(
      eips.map(({ allocationId, publicIp }) =>
        pulumi
          .all([allocationId, publicIp])
          .apply(([allocation, ipv4]) => ({ allocation, ipv4 })),
      ),
    ),
  };
}

/**
 * One of these addresses, for one of the machines with this profile. EC2 asks
 * for a right to each thing that the request touches: the address, the machine
 * and the interface it is bound to.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
export function publicAddressRights(
  { eips }: PublicAddresses,
  of: {
    readonly profile: pulumi.Input<string>;
    readonly tags: Readonly<Record<string, string>>;
    readonly parent: pulumi.Resource;
  },
): aws.types.input.iam.GetPolicyDocumentStatementArgs[] {
  const opts = { parent: of.parent };
  const { accountId } = aws.getCallerIdentityOutput({}, opts);
  const { region } = aws.getRegionOutput({}, opts);
  const every = (kind: string) =>
    pulumi.interpolate`arn:aws:ec2:${region}:${accountId}:${kind}/*`;
  const actions = ["ec2:AssociateAddress"];
  return [
    { sid: "Addresses", actions, resources: eips.map(({ arn }) => arn) },
    {
      sid: "AddressOfMachine",
      actions,
      resources: [every("instance")],
      conditions: [
        {
          test: "ArnEquals",
          variable: "ec2:InstanceProfile",
          values: [of.profile],
        },
      ],
    },
    {
      sid: "AddressOfInterface",
      actions,
      resources: [every("network-interface")],
      conditions: Object.entries(of.tags).map(([tag, value]) => ({
        test: "StringEquals",
        variable: `aws:ResourceTag/${tag}`,
        values: [value],
      })),
    },
  ];
}
