/** The part of the stack's configuration that only the platform `aws` has. */
import { Address4 } from "ip-address";
import * as z from "zod";
import { between, port, text, wrong } from "../../config/values.ts";
import { architectureOf } from "./instance-types.ts";

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
  wrong(
    `is not a network for a VPC; write one of /${String(vpcPrefix.shortest)} to /${String(vpcPrefix.longest)}, for example 10.80.0.0/16`,
  ),
);

const idOf = (kind: "vpc" | "subnet") =>
  text(
    new RegExp(`^${kind}-([0-9a-f]{8}|[0-9a-f]{17})$`),
    `is not the id of a ${kind === "vpc" ? "VPC" : kind}; write one such as ${kind}-0a1b2c3d4e5f60718`,
  );

/** A network that is there already. */
const adopted = (vpc: string, subnets: string) =>
  z.strictObject({
    vpcId: idOf("vpc").describe(vpc),
    subnetIds: z.array(idOf("subnet")).meta({
      description: `${subnets}, one in each of aws.zones zones.`,
      value: ["<subnet>", "<subnet>"],
    }),
  });

export type AdoptedIds = z.infer<ReturnType<typeof adopted>>;

/** A network is made by the stack, or adopted. */
const network = (cidr: string, vpc: string, subnets: string) => ({
  cidr: vpcCidr.optional().meta({
    description:
      "Addresses of the network that the stack makes (CIDR), /16 to /20.",
    default: cidr,
  }),
  adopt: adopted(vpc, subnets)
    .optional()
    .describe("A network that exists, in the place of one that is made."),
});
function notBoth(
  { cidr, adopt }: { cidr?: string | undefined; adopt?: unknown },
  context: z.RefinementCtx,
): void {
  if (cidr === undefined || adopt === undefined) return;
  context.addIssue({
    code: "custom",
    path: ["adopt"],
    message: `there beside cidr "${cidr}": a network is made by the stack or adopted; remove one of them`,
  });
}
const servicesCidr = "10.80.0.0/16";
const sandboxesCidr = "10.81.0.0/16";

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
    wrong(
      "is no private network; runners reach no other, write one such as 10.81.0.10/32",
    ),
  );

/** What CloudWatch takes, in days: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827,
  2192, 2557, 2922, 3288, 3653,
];

const retentionDays = z.literal(
  retentions,
  wrong(
    `is no retention of CloudWatch's; write one of ${retentions.join(", ")}`,
  ),
);

const instanceType = text(
  /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
  "is not an instance type; write one such as c7g.medium",
);

/** How many machines of a kind there are, and what they are. */
const machines = z.strictObject({
  instanceType: instanceType
    .default("c7g.medium")
    .describe("What the machines are, of aws.architecture."),
  minimum: between(1, 20).default(2).describe("Fewest machines."),
  maximum: between(1, 50)
    .default(6)
    .describe(
      "Most machines, but for a while when new ones take the place of old ones.",
    ),
  mixed: z
    .strictObject({
      onDemandBase: between(0, 50)
        .default(1)
        .describe("So many are on demand, before any is on spot capacity."),
      spotPercentage: between(1, 100)
        .default(50)
        .describe("Of those beyond, how many are on spot, in percent."),
      instanceTypes: z
        .array(instanceType)
        .min(1, {
          error:
            "spot capacity of one type is often missing; write more types of the same architecture, for example [c6g.medium, m7g.medium]",
        })
        .meta({
          description:
            "Types beside instanceType, for example [c6g.medium, m7g.medium].",
          value: ["<type>"],
        }),
    })
    .optional()
    .describe(
      "Some machines on spot capacity, which AWS may take back; none without it. The more types there are, the more rarely one is missing.",
    ),
});

export type MachineSettings = z.infer<typeof machines>;

const inOrder = (given: z.infer<typeof machines>) =>
  given.minimum <= given.maximum;
const notInOrder = {
  error: "maximum is below minimum; make it at least as many",
  path: ["maximum"],
};

export const awsSettings = z
  .strictObject({
    region: text(
      /^[a-z]{2}(-[a-z]+)+-[1-9]$/,
      "is not a region; write one such as eu-central-1",
    ).meta({
      description: "Region of AWS that everything is in.",
      whenMissing: "set it, for example eu-central-1",
    }),
    zones: between(2, 3)
      .default(2)
      .describe("In how many availability zones the machines stand."),
    architecture: z
      .enum(["arm64", "amd64"])
      .default("arm64")
      .describe("Architecture of the instance types."),
    services: z
      .strictObject(
        network(
          servicesCidr,
          "The VPC of edges and gateways.",
          "Its public subnets",
        ),
      )
      .superRefine(notBoth)
      .transform(({ cidr = servicesCidr, adopt }) =>
        adopt ? { adopt } : { cidr },
      )
      .prefault({})
      .describe("Network of edges and gateways."),
    sandboxes: z
      .strictObject({
        ...network(
          sandboxesCidr,
          "The VPC of Daytona's runners.",
          "The runners' subnets",
        ),
        controlPlane: z
          .array(
            z.strictObject({
              cidr: privateNetwork.describe(
                "A private network, for example 10.81.0.10/32.",
              ),
              port: port.describe("Its TCP port."),
            }),
          )
          .default([])
          .describe(
            "What runners must reach beside the gateway: Daytona itself.",
          ),
        names: z
          .array(
            text(
              /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/,
              "is not a host name; write one such as daytona.example.net, or *.example.net for those below",
            ),
          )
          .default([])
          .describe(
            "Names that runners may look up beside the listed hosts: Daytona's own.",
          ),
      })
      .superRefine(notBoth)
      .transform(({ cidr = sandboxesCidr, adopt, controlPlane, names }) =>
        adopt ? { adopt, controlPlane, names } : { cidr, controlPlane, names },
      )
      .prefault({})
      .describe("Network of Daytona's runners, without any way out."),
    edge: machines
      .refine(inOrder, notInOrder)
      .prefault({})
      .describe("The machines that are edges."),
    gateway: machines
      .extend({
        rootServers: z
          .array(z.ipv4())
          .default([])
          .describe(
            "IPv4 addresses of the root name servers that gateways ask; the world's when there are none.",
          ),
      })
      .refine(inOrder, notInOrder)
      .prefault({})
      .describe("The machines that are gateways."),
    permissionsBoundary: text(
      /^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy\/[\w+=,.@/-]+$/,
      "is not the ARN of a policy; write one such as arn:aws:iam::123456789012:policy/boundary",
    )
      .optional()
      .describe(
        "ARN of a policy that bounds every role that the stack makes; infra/ci has one.",
      ),
    sessionManager: z
      .strictObject({
        package: text(
          /^https:\/\/[A-Za-z0-9./_~%+-]+\.deb$/,
          "is not the HTTPS address of a Debian package; write one such as https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/3.3.2299.0/debian_arm64/amazon-ssm-agent.deb",
        ).describe("The HTTPS address of the agent's Debian package."),
        sha256: text(
          /^[0-9a-f]{64}$/,
          "is not a SHA-256; write the 64 hexadecimal digits that sha256sum prints of the package",
        ).describe(
          "What sha256sum prints of the package; another one is not installed.",
        ),
      })
      .optional()
      .describe(
        "The agent of AWS' Session Manager, which neither Debian nor its image has; no machine has it when absent.",
      ),
    logs: z
      .strictObject({
        retentionDays: retentionDays
          .default(30)
          .describe(
            "How long rows of edges and gateways are kept, in days; they name clients.",
          ),
      })
      .prefault({})
      .describe("Logs in CloudWatch."),
    alarmEmails: z
      .array(z.email())
      .default([])
      .describe(
        "E-mail addresses that are written to when an alarm goes off; AWS asks them first.",
      ),
  })
  .superRefine((settings, context) => {
    for (const problem of [
      ...adoptionProblems(settings),
      ...capacityProblems(settings),
    ]) {
      context.addIssue({ code: "custom", ...problem });
    }
  });

export type AwsSettings = z.infer<typeof awsSettings>;

/** What types and numbers are to each other. */
function capacityProblems({
  architecture,
  edge,
  gateway,
}: Pick<AwsSettings, "architecture" | "edge" | "gateway">) {
  return Object.entries({ edge, gateway }).flatMap(
    ([kind, { instanceType, maximum, mixed }]) => [
      ...[
        { path: [kind, "instanceType"], type: instanceType },
        ...(mixed?.instanceTypes ?? []).map((type, index) => ({
          path: [kind, "mixed", "instanceTypes", index],
          type,
        })),
      ]
        .filter(({ type }) => architectureOf(type) !== architecture)
        .map(({ path, type }) => ({
          path,
          message: `"${type}" is of ${architectureOf(type)}, and aws.architecture is ${architecture}; write types of one architecture`,
        })),
      ...(mixed && mixed.onDemandBase > maximum
        ? [
            {
              path: [kind, "mixed", "onDemandBase"],
              message: `${String(mixed.onDemandBase)} is above maximum, ${String(maximum)}, so that none would be on spot capacity; make it less, or remove mixed`,
            },
          ]
        : []),
    ],
  );
}

/** What ids alone tell; network-problems.ts has what AWS says of them. */
function adoptionProblems({
  zones,
  services,
  sandboxes,
}: Pick<AwsSettings, "zones" | "services" | "sandboxes">) {
  const counted = Object.entries({ services, sandboxes }).flatMap(
    ([kind, { adopt }]) => {
      const ids = adopt?.subnetIds;
      if (!ids) return [];
      const path = [kind, "adopt", "subnetIds"];
      const distinct = new Set(ids).size;
      return [
        ...(ids.length === zones
          ? []
          : [
              {
                path,
                message: `${String(ids.length)} for ${String(zones)} zones; write one subnet a zone, or set aws.zones, which is 2 or 3`,
              },
            ]),
        ...(distinct === ids.length
          ? []
          : [
              {
                path,
                message: "a subnet is there twice; write one subnet a zone",
              },
            ]),
      ];
    },
  );
  const vpcId = services.adopt?.vpcId;
  if (vpcId === undefined || sandboxes.adopt?.vpcId !== vpcId) return counted;
  return [
    ...counted,
    {
      path: ["sandboxes", "adopt", "vpcId"],
      message: `"${vpcId}" is aws.services.adopt.vpcId, too; private zones and DNS Firewall are a whole VPC's, so that gateways in it would resolve themselves: write another VPC`,
    },
  ];
}
