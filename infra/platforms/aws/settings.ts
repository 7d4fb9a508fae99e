/** The part of the stack's configuration that only the platform `aws` has. */
import { Address4 } from "ip-address";
import * as z from "zod";

/** What AWS lets a VPC have: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html */
const vpcPrefix = { shortest: 16, longest: 20 } as const;

const vpcCidr = z.string().refine(
  (text) => {
    if (!z.cidrv4().safeParse(text).success) return false;
    const network = new Address4(text);
    return (
      network.startAddress().correctForm() === network.correctForm() &&
      network.subnetMask >= vpcPrefix.shortest &&
      network.subnetMask <= vpcPrefix.longest
    );
  },
  {
    error: (issue) =>
      `${JSON.stringify(issue.input)} is not a network for a VPC; write one of /${String(vpcPrefix.shortest)} to /${String(vpcPrefix.longest)}, for example 10.80.0.0/16`,
  },
);

/** RFC 1918 and RFC 6598: what runners must reach is no stranger's. */
const privateNetworks = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
].map((cidr) => new Address4(cidr));

const privateNetwork = z
  .string()
  .refine(
    (text) =>
      z.cidrv4().safeParse(text).success &&
      privateNetworks.some((network) => new Address4(text).isInSubnet(network)),
    {
      error: (issue) =>
        `${JSON.stringify(issue.input)} is no private network; runners reach no other, write one such as 10.81.0.10/32`,
    },
  );

const instanceType = z.string().regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, {
  error: (issue) =>
    `${JSON.stringify(issue.input)} is not an instance type; write one such as c7g.medium`,
});

/** How many machines of a kind there are, and what they are. */
const machines = z.strictObject({
  instanceType: instanceType.default("c7g.medium"),
  minimum: z.int().min(1).max(20).default(2),
  maximum: z.int().min(1).max(50).default(6),
});

const inOrder = (given: z.infer<typeof machines>) =>
  given.minimum <= given.maximum;
const notInOrder = {
  error: "maximum is below minimum; make it at least as many",
  path: ["maximum"],
};

export const awsSettings = z.strictObject({
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-[1-9]$/, {
    error: (issue) =>
      `${JSON.stringify(issue.input)} is not a region; write one such as eu-central-1`,
  }),
  /** In how many zones the machines stand. */
  zones: z.int().min(2).max(3).default(2),
  /** Of the instance types. */
  architecture: z.enum(["arm64", "amd64"]).default("arm64"),
  services: z
    .strictObject({ cidr: vpcCidr.default("10.80.0.0/16") })
    .prefault({}),
  sandboxes: z
    .strictObject({
      cidr: vpcCidr.default("10.81.0.0/16"),
      /** What runners must reach beside the gateway: Daytona itself. */
      controlPlane: z
        .array(
          z.strictObject({
            cidr: privateNetwork,
            port: z.int().min(1).max(65535),
          }),
        )
        .default([]),
      /** Names that runners may look up beside the listed hosts: Daytona's own. */
      names: z
        .array(
          z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/, {
            error: (issue) =>
              `${JSON.stringify(issue.input)} is not a host name; write one such as daytona.example.net, or *.example.net for those below`,
          }),
        )
        .default([]),
    })
    .prefault({}),
  edge: machines.refine(inOrder, notInOrder).prefault({}),
  gateway: machines
    .extend({
      /** Root name servers that gateways ask; the world's when there are none. */
      rootServers: z.array(z.ipv4()).default([]),
    })
    .refine(inOrder, notInOrder)
    .prefault({}),
  /**
   * The agent of AWS' Session Manager, which neither Debian nor its image has;
   * no machine has it when absent.
   */
  sessionManager: z
    .strictObject({
      package: z.string().regex(/^https:\/\/[A-Za-z0-9./_~%+-]+\.deb$/, {
        error: (issue) =>
          `${JSON.stringify(issue.input)} is not the HTTPS address of a Debian package; write one such as https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/3.3.2299.0/debian_arm64/amazon-ssm-agent.deb`,
      }),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, {
        error: (issue) =>
          `${JSON.stringify(issue.input)} is not a SHA-256; write the 64 hexadecimal digits that sha256sum prints of the package`,
      }),
    })
    .optional(),
  /** Who is written to when an alarm goes off; AWS asks them first. */
  alarmEmails: z.array(z.email()).default([]),
});

export type AwsSettings = z.infer<typeof awsSettings>;
