/**
 * The keys of a stack file. All that is said of a key (its description, its
 * default, what to do when it is missing) stands here, or in the schema that is
 * imported for it; Pulumi.schema.json, docs/configuration.md and the messages
 * come of it. After a change: `npm run configuration`.
 */
import * as z from "zod";
import { certificateSecrets } from "../certificate/credentials.ts";
import { keyTypes } from "../certificate/held-certificate.ts";
import { limitsSchema } from "../edge/limits.ts";
import { ruleSecrets } from "../gateway/credentials-document.ts";
import { learnOptions } from "../gateway/learn.ts";
import { egressLimitsSchema } from "../gateway/limits.ts";
import { egressRules } from "../gateway/rules.ts";
import { awsSettings } from "../platforms/aws/settings.ts";
import { hostSettings } from "../platforms/host/settings.ts";
import { httpAddress, ipAddressAndPort, isIpAndPort } from "./address.ts";
import { oneOf, quote } from "./problems.ts";
import { port, text, wrong } from "./values.ts";

const platforms = ["host", "aws"] as const;

/**
 * Where Docker has images from that are named without a host:
 * https://docs.docker.com/desktop/setup/allow-list/
 */
const imageHosts = [
  "registry-1.docker.io",
  "auth.docker.io",
  "production.cloudflare.docker.com",
  "production.cloudfront.docker.com",
  "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
];

const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

const hostname = text(
  /^(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
  "is not a lower-case host name; write one such as sandbox.daytona.example.net",
);

const daytonaUpstream = z.strictObject({
  mode: z.literal("daytona").meta({
    description:
      "Requests go to Daytona's proxy, which knows the sandboxes and decides about access.",
    whenMissing: "set it to daytona or direct",
    value: "<daytona or direct>",
  }),
  url: text(
    httpAddress,
    "is not the address of Daytona's proxy; write http, host and port (1 to 65535), for example http://10.0.0.5:4000",
  ).meta({
    description:
      "The address of Daytona's proxy, for example http://10.0.0.5:4000.",
    value: "http://<address of Daytona's proxy>:4000",
  }),
});

const sandboxNetwork = z.string().refine(
  (text) =>
    (z.cidrv4().safeParse(text).success && !/\/[0-7]$/.test(text)) ||
    // HAProxy compares an IPv4 address with an IPv6 network as a mapped one.
    (z.cidrv6().safeParse(text).success &&
      !/^[0:]*(:ffff(:.*)?)?\/|\/[0-7]$/i.test(text)),
  wrong(
    "is not a network of sandboxes; write one such as 172.20.0.0/16, of 8 bits or more",
  ),
);

const notResolver = wrong(
  "is not the address of a resolver that knows the sandboxes; write IP and port (1 to 65535), for example 127.0.0.1:53",
);

const directUpstream = z.strictObject({
  mode: z.literal("direct").meta({
    description: "The edge resolves a sandbox's id and connects to it itself.",
    whenMissing: "set it to daytona or direct",
  }),
  resolver: z
    .string()
    .regex(ipAddressAndPort, { ...notResolver, abort: true })
    .refine(isIpAndPort, notResolver)
    .meta({
      description:
        "IP and port of a resolver that knows the sandboxes, for example 127.0.0.1:53.",
      value: "<IP>:<port>",
    }),
  networks: z
    .array(sandboxNetwork)
    .min(1, "name the sandboxes' networks, for example [172.20.0.0/16]")
    .meta({
      description:
        "The sandboxes' networks, for example [172.20.0.0/16]; the edge connects to no address outside of them.",
      value: ["<network>"],
    }),
});

const zoneId = text(
  /^[0-9a-f]{32}$/,
  "is not a zone id; copy the 32 hexadecimal digits from the zone's overview page at Cloudflare",
);

/** The keys of a stack file, but for those that are secrets as a whole. */
export const schema = z.strictObject({
  domain: hostname.meta({
    description:
      "The base name of the sandboxes' addresses, for example sandbox.daytona.example.net.",
    value: "<base name>",
  }),
  platform: z
    .enum(platforms, wrong(`is no platform; set it to ${oneOf(platforms)}`))
    .meta({
      description:
        "Where machines come from: servers of your own by SSH (host), or AWS (aws).",
      whenMissing: `set it to ${oneOf(platforms)}`,
      value: `<${oneOf(platforms)}>`,
    }),
  aws: awsSettings.optional().meta({
    description: "Settings of the platform aws.",
    whenMissing: "set region, for example eu-central-1",
  }),
  host: hostSettings.optional().meta({
    description:
      "The server of the platform host, which Daytona runs on or stands beside.",
    whenMissing: "set address and hostKey of the server",
  }),
  cloudflare: z
    .strictObject({
      zoneId: zoneId.meta({
        description:
          "The id of the Cloudflare zone that holds the domain; its overview page shows it.",
        value: "<32 hexadecimal digits>",
      }),
    })
    .meta({
      description:
        "The zone at Cloudflare that holds the domain. Its API token is the secret cloudflare:apiToken or the variable CLOUDFLARE_API_TOKEN.",
      whenMissing:
        "set zoneId, the id of the Cloudflare zone that holds the domain",
    }),
  certificate: z
    .strictObject({
      directory: z
        .url({ protocol: /^https$/ })
        .default(letsEncrypt)
        .describe("ACME directory of the authority."),
      contact: z
        .email()
        .optional()
        .describe("E-mail address that the authority may write to."),
      caaIdentity: hostname
        .default("letsencrypt.org")
        .describe("The authority's name in CAA records."),
      profile: z
        .string()
        .default("tlsserver")
        .describe(
          "The authority's profile that the certificate is ordered as.",
        ),
      keyType: z
        .enum(keyTypes)
        .default(keyTypes[0])
        .describe("Kind of the certificate's key."),
      challenge: z
        .strictObject({
          zoneId: zoneId.describe(
            "The id of the Cloudflare zone that the challenge's records are written in.",
          ),
          name: hostname.describe(
            "The name in that zone that _acme-challenge leads to by CNAME.",
          ),
        })
        .optional()
        .describe(
          "Another zone for the challenge's records, so that the token writes that one only.",
        ),
    })
    .prefault({})
    .describe("Who certifies the domain, and how."),
  upstream: z
    .discriminatedUnion("mode", [daytonaUpstream, directUpstream], {
      error: ({ input }) =>
        typeof input === "object" && input !== null && "mode" in input
          ? `${quote(input.mode)} is no mode; write daytona or direct`
          : `${quote(input)} does not say where sandboxes are; write mode: daytona and url, or mode: direct, resolver and networks`,
    })
    .meta({
      description:
        "Where sandboxes are reached. On the platform host it is by default Daytona's proxy on the same server, http://127.0.0.1:4000.",
      whenMissing:
        "set mode: daytona and the url of Daytona's proxy, for example http://10.0.0.5:4000",
      value: {
        mode: "daytona",
        url: "http://<address of Daytona's proxy>:4000",
      },
    }),
  access: z
    .enum(["daytona", "signed", "public"])
    .optional()
    .describe(
      "Who decides about access to a sandbox: Daytona (default with upstream.mode daytona), signed tokens of yours (default with direct), or nobody.",
    ),
  accessKeyGeneration: z.coerce
    .string()
    .regex(
      /^[1-9][0-9]{0,3}$/,
      wrong(
        "is not a generation; write 1, and one more for each rotation of the signing keys",
      ),
    )
    .transform(Number)
    .prefault(1)
    .meta({
      description:
        "One more for each rotation of the keys that sign tokens (access signed).",
      // A number in the file, which Pulumi hands over as text.
      ...{ type: "integer", minimum: 1, maximum: 9999 },
    }),
  limits: limitsSchema
    .prefault({})
    .describe("What one client and one sandbox may take of each edge."),
  toolbox: z
    .boolean()
    .default(false)
    .describe(
      "Whether /toolbox/{id}/… passes on the base name, which Daytona's SDK uses. Only with upstream.mode daytona.",
    ),
  deniedPorts: z
    .array(port)
    .default([])
    .describe(
      "Ports to refuse on every sandbox, beside those of Daytona's own daemons.",
    ),
  egress: z
    .strictObject({
      allow: egressRules.meta({
        description:
          "The list of URLs that sandboxes may call: https://host/*, https://host/path/* or https://host/path, or an object of one and its options.",
        whenMissing:
          "set the list of URLs that sandboxes may call, for example [https://api.github.com/*]",
        value: ["'<https://host/path/*>'"],
      }),
      learn: learnOptions
        .optional()
        .describe(
          "For a while also lets unlisted hosts through and records them.",
        ),
      limits: egressLimitsSchema
        .prefault({})
        .describe("What one sandbox may take of each gateway."),
    })
    .optional()
    .meta({
      description:
        "What sandboxes may call; everything else is refused. Without it the stack has the ingress only.",
      whenMissing: "set allow, the list of URLs that sandboxes may call",
    }),
  gateway: z
    .strictObject({
      sandboxes: z
        .strictObject({
          interfaces: z
            .array(
              text(
                /^[A-Za-z0-9_.-]{1,15}$/,
                "is not the name of an interface; write one such as br-sandbox, of 15 characters at most",
              ),
            )
            .default([])
            .describe(
              "Bridges that are closed for sandboxes, whether Docker tells of one there or not; those with an address in networks when none is named. The others are found by Docker.",
            ),
          networks: z
            .array(z.cidrv4())
            .default([])
            .describe(
              "IPv4 networks of sandboxes (CIDR) that Docker does not tell of. The others are found by Docker.",
            ),
        })
        .prefault({})
        .describe(
          "What belongs to sandboxes beside what is found: the runner, its sandboxes and their networks are found by Docker, wherever they are.",
        ),
      builds: z
        .enum(["open", "enforce"])
        .default("open")
        .describe(
          "What image builds reach, and all else on Docker's own network (docker0) of the Docker that sandboxes are in: what they did, or by enforce what sandboxes reach, so that a Dockerfile that downloads anything fails.",
        ),
      runnerHosts: z
        .array(hostname)
        .default(imageHosts)
        .describe(
          "Hosts that a runner in a container looks up for itself, such as those of the registries that it pulls images from. Its sandboxes' names are asked for by the same Docker, so that no others are answered.",
        ),
      rootServers: z
        .array(z.ipv4())
        .default([])
        .describe(
          "IPv4 addresses of DNS root servers of one's own, without DNSSEC; the world's, with DNSSEC, when there are none.",
        ),
      forwarders: z
        .array(
          z.ipv4().refine((address) => !address.startsWith("127."), {
            error:
              "it is the server itself, where the gateway's resolver does not ask; write those that it asks in turn, which resolvectl dns says there",
          }),
        )
        .default([])
        .describe(
          "IPv4 addresses of resolvers that the gateway asks in place of the root servers and all others, where the server's network lets it ask nobody else. What they say is checked as theirs would be.",
        ),
    })
    .optional()
    .describe("Where sandboxes are on their server, on the platform host."),
});

export type Parsed = z.infer<typeof schema>;

/** Keys whose values are secrets as a whole; messages never quote them. */
export const secrets = z.strictObject({
  sshPrivateKey: z
    .string()
    .optional()
    .describe(
      "Private key without a passphrase that may log in to host and its runners; the SSH agent's keys when absent.",
    ),
  credentials: ruleSecrets
    .optional()
    .describe("Secrets that the credentials of rules name."),
  certificateCredentials: certificateSecrets
    .optional()
    .describe("What the certificate is ordered with."),
});

export const secretKeys: readonly string[] = Object.keys(secrets.shape);
