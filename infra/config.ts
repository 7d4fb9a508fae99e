/**
 * The one place that reads `pulumi.Config`: one strict schema, one parse. All
 * other code takes the plain, frozen `StackConfig`.
 */
import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime/index.js";
import * as z from "zod";
import {
  type CertificateCredentials,
  parseCertificateCredentials,
} from "./certificate/credentials.ts";
import { keyTypes } from "./certificate/held-certificate.ts";
import {
  httpAddress,
  ipAddressAndPort,
  isIpAndPort,
} from "./config-address.ts";
import {
  type Problem,
  issueProblems,
  missing,
  oneOf,
  problemReport,
  quote,
  usualProblem,
  whenMissing,
} from "./config-problems.ts";
import { type Limits, limitsSchema } from "./edge/limits.ts";
import {
  type Secrets,
  credentialsDocument,
  parseSecrets,
} from "./gateway/credentials-document.ts";
import {
  type Learn,
  learnOptions,
  learnProblems,
  learnWarning,
} from "./gateway/learn.ts";
import { type EgressLimits, egressLimitsSchema } from "./gateway/limits.ts";
import { type EgressRule, parseEgressRules } from "./gateway/rules.ts";
import { unenforced } from "./gateway/unenforced.ts";
import { type AwsSettings, awsSettings } from "./platforms/aws/settings.ts";
import { overlap } from "./platforms/aws/subnets.ts";
import { privateKeyProblem } from "./platforms/host/private-key.ts";
import {
  type HostSettings,
  daytonaBeside,
  hostSettings,
  publicAddresses,
} from "./platforms/host/settings.ts";

/** Keys whose values are read as secrets only. */
export const secretKeys = [
  "sshPrivateKey",
  "credentials",
  "certificateCredentials",
];

const platforms = ["host", "aws"] as const;

/** Ports of Daytona's own daemons in a sandbox; nobody is ever let in there. */
const reservedPorts = [2280, 5900, 5901, 6080, 22220, 22222, 33333];

/** Where Daytona's runner puts sandboxes (its network runner-bridge). */
const runnerBridge = "172.20.0.0/16";

const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

const hostname = z
  .string()
  .regex(/^(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, {
    error: (issue) =>
      `${quote(issue.input)} is not a lower-case host name; write one such as sandbox.daytona.example.net`,
  });

const daytonaUpstream = z.strictObject({
  mode: z.literal("daytona"),
  url: z.string().regex(httpAddress, {
    error: (issue) =>
      `${quote(issue.input)} is not the address of Daytona's proxy; write http, host and port (1 to 65535), for example http://10.0.0.5:4000`,
  }),
});

const sandboxNetwork = z.string().refine(
  (text) =>
    (z.cidrv4().safeParse(text).success && !/\/[0-7]$/.test(text)) ||
    // HAProxy compares an IPv4 address with an IPv6 network as a mapped one.
    (z.cidrv6().safeParse(text).success &&
      !/^[0:]*(:ffff(:.*)?)?\/|\/[0-7]$/i.test(text)),
  {
    error: (issue) =>
      `${quote(issue.input)} is not a network of sandboxes; write one such as 172.20.0.0/16, of 8 bits or more`,
  },
);

const notResolver = (issue: { readonly input?: unknown }) =>
  `${quote(issue.input)} is not the address of a resolver that knows the sandboxes; write IP and port (1 to 65535), for example 127.0.0.1:53`;

const directUpstream = z.strictObject({
  mode: z.literal("direct"),
  resolver: z
    .string()
    .regex(ipAddressAndPort, { error: notResolver, abort: true })
    .refine(isIpAndPort, { error: notResolver }),
  networks: z
    .array(sandboxNetwork)
    .min(1, "name the sandboxes' networks, for example [172.20.0.0/16]"),
});

const zoneId = z.string().regex(/^[0-9a-f]{32}$/, {
  error: (issue) =>
    `${quote(issue.input)} is not a zone id; copy the 32 hexadecimal digits from the zone's overview page at Cloudflare`,
});

/** The keys of a stack file, but for those that are secrets as a whole. */
export const schema = z.strictObject({
  domain: hostname,
  platform: z.enum(platforms, {
    error: (issue) =>
      `${quote(issue.input)} is no platform; set it to ${oneOf(platforms)}`,
  }),
  aws: awsSettings.optional(),
  host: hostSettings.optional(),
  cloudflare: z.strictObject({
    zoneId,
  }),
  certificate: z
    .strictObject({
      directory: z.url({ protocol: /^https$/ }).default(letsEncrypt),
      contact: z.email().optional(),
      caaIdentity: hostname.default("letsencrypt.org"),
      profile: z.string().default("tlsserver"),
      keyType: z.enum(keyTypes).default(keyTypes[0]),
      challenge: z.strictObject({ zoneId, name: hostname }).optional(),
    })
    .prefault({}),
  upstream: z.discriminatedUnion("mode", [daytonaUpstream, directUpstream], {
    error: ({ input }) =>
      typeof input === "object" && input !== null && "mode" in input
        ? `${quote(input.mode)} is no mode; write daytona or direct`
        : `${quote(input)} does not say where sandboxes are; write mode: daytona and url, or mode: direct, resolver and networks`,
  }),
  access: z.enum(["daytona", "signed", "public"]).optional(),
  accessKeyGeneration: z.coerce
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, {
      error: (issue) =>
        `${quote(issue.input)} is not a generation; write 1, and one more for each rotation of the signing keys`,
    })
    .transform(Number)
    .prefault("1"),
  limits: limitsSchema.prefault({}),
  toolbox: z.boolean().default(false),
  deniedPorts: z.array(z.int().min(1).max(65535)).default([]),
  egress: z
    .strictObject({
      allow: z.unknown(),
      learn: learnOptions.optional(),
      limits: egressLimitsSchema.prefault({}),
    })
    .optional(),
  gateway: z
    .strictObject({
      sandboxes: z
        .strictObject({
          /** Found by their addresses when none is named. */
          interfaces: z
            .array(
              z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/, {
                error: (issue) =>
                  `${quote(issue.input)} is not the name of an interface; write one such as br-sandbox, of 15 characters at most`,
              }),
            )
            .default([]),
          networks: z.array(z.cidrv4()).min(1).default([runnerBridge]),
        })
        .prefault({}),
      rootServers: z.array(z.ipv4()).default([]),
    })
    .optional(),
});

type Parsed = z.infer<typeof schema>;

/** Everything the stack is made from; plain and frozen. */
export type StackConfig = CommonConfig & PlatformConfig;

/** Where the machines come from. */
export type PlatformConfig =
  | {
      readonly platform: "host";
      readonly host: HostSettings;
      readonly aws?: undefined;
    }
  | {
      readonly platform: "aws";
      readonly aws: AwsSettings;
      readonly host?: undefined;
    };

interface CommonConfig {
  readonly domain: string;
  readonly zoneId: string;
  readonly certificate: Parsed["certificate"];
  readonly upstream: Parsed["upstream"];
  /** Who decides about access: Daytona, our signed tokens, or nobody. */
  readonly access: "daytona" | "signed" | "public";
  /** Counts the signing keys; one more replaces the current key by the next. */
  readonly accessKeyGeneration: number;
  readonly limits: Limits;
  readonly toolbox: boolean;
  /** Ports that are refused on every sandbox, ascending. */
  readonly deniedPorts: readonly number[];
  /** The road out; a stack may have only the road in. */
  readonly egress:
    | {
        readonly egressRules: readonly EgressRule[];
        /** Unlisted hosts are let through and recorded for a while. */
        readonly learn?: Learn;
        /** What one sandbox may take of a gateway. */
        readonly limits: EgressLimits;
        /** Where the gateway is, on a server that sandboxes run on. */
        readonly gateway: Parsed["gateway"];
      }
    | undefined;
}

/**
 * Reads and checks the stack's configuration.
 * @throws pulumi.RunError that lists every problem with its key and the fix.
 */
export function readConfig(): {
  config: StackConfig;
  /** Where Cloudflare's API is, when the provider was told. */
  cloudflareUrl: string | undefined;
  /** What the certificate's program needs and may not show; secret. */
  certificateCredentials: pulumi.Output<CertificateCredentials>;
  /** Key that may log in to servers; the SSH agent's when absent. */
  sshPrivateKey: pulumi.Output<string> | undefined;
  /** The live state `egress-credentials.json`; secret. */
  egressCredentials: pulumi.Output<string>;
} {
  const project = new pulumi.Config();
  const prefix = `${project.name}:`;
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(allConfig() ?? {})) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    if (!secretKeys.includes(name)) given[name] = plain(value);
  }
  const result = parseConfig(given, {
    stack: pulumi.getStack(),
    now: new Date(),
  });
  const sshPrivateKey = project.getSecret("sshPrivateKey");
  const keyGiven = allConfig()?.[`${prefix}sshPrivateKey`];
  const keyProblem = keyGiven && privateKeyProblem(keyGiven);
  if (keyProblem) {
    result.problems.push({ key: "sshPrivateKey", message: keyProblem });
  }
  const credentials = readCredentials(project, result.config);
  result.problems.push(...credentials.problems);
  const forCertificate = readCertificateCredentials(project);
  result.problems.push(...forCertificate.problems);
  const cloudflareUrl = new pulumi.Config("cloudflare").get("baseUrl");
  result.problems.push(...cloudflareProblems(cloudflareUrl));
  if (!result.config || result.problems.length > 0) {
    throw new pulumi.RunError(
      problemReport(
        `Pulumi.${pulumi.getStack()}.yaml`,
        prefix,
        result.problems,
      ),
    );
  }
  for (const { key, message } of result.warnings) {
    void pulumi.log.warn(`${prefix}${key}: ${message}`);
  }
  return {
    config: result.config,
    cloudflareUrl,
    certificateCredentials: pulumi.secret(forCertificate.credentials),
    sshPrivateKey,
    egressCredentials: pulumi.secret(credentialsDocument(credentials.secrets)),
  };
}

/** Whoever is on the way of plain HTTP would read the token, and could answer. */
function cloudflareProblems(url: string | undefined): Problem[] {
  if (
    url === undefined ||
    (URL.canParse(url) && new URL(url).protocol === "https:")
  ) {
    return [];
  }
  return [
    {
      key: "cloudflare:baseUrl",
      message: `${quote(url)} is not an https URL, and Cloudflare's token goes there; write one such as https://api.cloudflare.com/client/v4, or remove it`,
    },
  ];
}

/** What the certificate's program needs and may not show. */
function readCertificateCredentials(project: pulumi.Config): {
  credentials: CertificateCredentials;
  problems: Problem[];
} {
  const key = "certificateCredentials";
  const given = allConfig()?.[`${project.name}:${key}`];
  const parsed = parseCertificateCredentials(
    given === undefined ? {} : plain(given),
    // As Cloudflare's own provider takes it.
    new pulumi.Config("cloudflare").get("apiToken") ??
      process.env.CLOUDFLARE_API_TOKEN,
  );
  return {
    credentials: parsed.credentials,
    problems: parsed.problems.map((problem) => ({
      key: problem.key === "" ? key : `${key}.${problem.key}`,
      message: problem.message,
    })),
  };
}

/** The secrets that rules name, each of which must be there. */
function readCredentials(
  project: pulumi.Config,
  config: StackConfig | undefined,
): { secrets: Secrets; problems: Problem[] } {
  const given = allConfig()?.[`${project.name}:credentials`];
  const parsed = parseSecrets(given === undefined ? {} : plain(given));
  const problems: Problem[] = parsed.problems.map((problem) => ({
    key: problem.key === "" ? "credentials" : `credentials.${problem.key}`,
    message: problem.message,
  }));
  config?.egress?.egressRules.forEach(({ options: { credential } }, index) => {
    if (!credential || problems.length > 0) return;
    if (Object.hasOwn(parsed.secrets, credential.secret)) return;
    problems.push({
      key: `egress.allow[${String(index)}].credential.secret`,
      message: `"${credential.secret}" is not set`,
      commands: [
        `pulumi config set --secret --path ${project.name}:credentials.${credential.secret}`,
      ],
    });
  });
  return { secrets: parsed.secrets, problems };
}

/**
 * Checks configuration values; pure. `config` is there when `problems` is empty.
 * @param circumstances the stack's name and the time, which bound learn mode;
 *   a stack without a name is held to be prod
 */
export function parseConfig(
  given: Record<string, unknown>,
  circumstances = { stack: "prod", now: new Date() },
): {
  config?: StackConfig;
  problems: Problem[];
  /** What may be so, but is weaker than it looks. */
  warnings: Problem[];
} {
  const parsed = schema.safeParse(
    given.platform === "host" ? withHostDefaults(given) : given,
    { reportInput: true, error: usualProblem },
  );
  const problems: Problem[] = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => issueProblems(issue));
  const allow = (given.egress as { allow?: unknown } | undefined)?.allow;
  const egress = parseEgressRules(allow ?? []);
  problems.push(
    ...egress.problems.map(({ key, message }) => ({
      key: `egress.allow${key}`,
      message,
    })),
  );
  // What the URL itself says is no news; the rest is weaker than it looks.
  const warnings = unenforced(egress.rules).flatMap(
    ({ index, option, subject, text }) =>
      option === undefined
        ? []
        : [
            {
              key: `egress.allow[${String(index)}].${option}`,
              message: `not enforced for ${subject}: ${text}`,
            },
          ],
  );
  if (!parsed.success) return { problems, warnings };

  const learn = parsed.data.egress?.learn;
  if (learn) {
    problems.push(
      ...learnProblems(learn, circumstances).map(({ key, message }) => ({
        key: `egress.learn${key}`,
        message,
      })),
    );
    warnings.push({
      key: "egress.learn",
      message: learnWarning(learn, circumstances.now),
    });
  }
  const { upstream } = parsed.data;
  if (upstream.mode === "direct" && parsed.data.access === "daytona") {
    problems.push({
      key: "access",
      message: `"daytona" cannot guard upstream.mode direct: Daytona is not asked there; set it to signed, or to public if every sandbox may be reached by anyone`,
    });
  }
  // Never weaker than what stands behind.
  const { access = upstream.mode === "direct" ? "signed" : "daytona" } =
    parsed.data;
  if (upstream.mode === "direct" && parsed.data.toolbox) {
    problems.push({
      key: "toolbox",
      message:
        "nothing reads it with upstream.mode direct, for the toolbox is Daytona's; remove it",
    });
  }
  if (given.accessKeyGeneration !== undefined && access !== "signed") {
    warnings.push({
      key: "accessKeyGeneration",
      message: `nothing reads it while access is ${access}`,
    });
  }
  if (parsed.data.platform !== "aws" && limitsGiven(given, "perRunner")) {
    problems.push({
      key: "egress.limits.perRunner",
      message: `nothing reads it on platform ${parsed.data.platform}, where each sandbox has an address of its own; remove it`,
    });
  }
  problems.push(...platformProblems(parsed.data));
  if (parsed.data.gateway && !parsed.data.egress) {
    problems.push({
      ...missing("egress"),
      message: `missing, while gateway is set; ${whenMissing.egress ?? "set it"}, or remove gateway for a stack with the road in only`,
    });
  }
  const platform = platformConfig(parsed.data);
  if (problems.length > 0 || !platform) return { problems, warnings };
  const { domain, certificate, toolbox, gateway } = parsed.data;
  return {
    problems,
    warnings,
    config: Object.freeze({
      ...platform,
      domain,
      certificate,
      upstream,
      toolbox,
      access,
      accessKeyGeneration: parsed.data.accessKeyGeneration,
      limits: parsed.data.limits,
      zoneId: parsed.data.cloudflare.zoneId,
      deniedPorts: [
        ...new Set([...reservedPorts, ...parsed.data.deniedPorts]),
      ].sort((a, b) => a - b),
      egress: parsed.data.egress && {
        egressRules: egress.rules,
        limits: parsed.data.egress.limits,
        gateway,
        ...(learn ? { learn: { until: learn.until } } : {}),
      },
    }),
  };
}

/** Whether one of the limits of the road out was written, and is no default. */
function limitsGiven(given: Record<string, unknown>, name: string): boolean {
  const egress = given.egress as { limits?: object } | undefined;
  return name in (egress?.limits ?? {});
}

/** Daytona is on the same server, and the gateway where it belongs. */
function withHostDefaults(
  given: Record<string, unknown>,
): Record<string, unknown> {
  return {
    upstream: daytonaBeside,
    ...(given.egress === undefined ? {} : { gateway: {} }),
    ...given,
  };
}

/** Undefined where what the platform needs is missing. */
function platformConfig(parsed: Parsed): PlatformConfig | undefined {
  const { platform, host, aws } = parsed;
  if (platform === "host") return host && { platform, host };
  return aws && { platform, aws };
}

/** What a platform needs, and what only another one reads. */
function platformProblems(parsed: Parsed): Problem[] {
  const { platform } = parsed;
  const ofOthers = (["aws", "host"] as const).filter(
    (name) => name !== platform && parsed[name] !== undefined,
  );
  return [
    ...ofOthers.map((key) => ({
      key,
      message: `nothing reads it on platform ${platform}; remove it, or set platform to ${key}`,
    })),
    ...problemsOnPlatform[platform](parsed),
  ];
}

const problemsOnPlatform: Readonly<
  Record<Parsed["platform"], (parsed: Parsed) => Problem[]>
> = {
  host: ({ host }) => {
    const problems: Problem[] = [];
    if (!host) {
      problems.push(missing("host"));
    } else {
      const { ipv4, ipv6 } = publicAddresses(host);
      if (ipv4.length + ipv6.length === 0) {
        problems.push({
          key: "host.publicAddresses",
          message: `missing, while host.address, ${host.address}, is a name; set what the sandboxes' names shall lead to, for example ipv4: [203.0.113.10]`,
          commands: [
            "pulumi config set --path 'daytona-edge:host.publicAddresses.ipv4[0]' <address>",
          ],
        });
      }
    }
    return problems;
  },

  aws: ({ aws, egress, gateway }) => {
    const problems: Problem[] = [];
    if (!aws) {
      problems.push(missing("aws"));
    } else if (
      // What an adopted one has, AWS says (platforms/aws/networks.ts).
      aws.services.cidr &&
      aws.sandboxes.cidr &&
      overlap(aws.services.cidr, aws.sandboxes.cidr)
    ) {
      problems.push({
        key: "aws.sandboxes.cidr",
        message: `${aws.sandboxes.cidr} and aws.services.cidr, ${aws.services.cidr}, share addresses; networks that are peered cannot`,
      });
    }
    if (gateway) {
      problems.push({
        key: "gateway",
        message:
          "nothing reads it on platform aws, which makes gateways of its own; remove it",
      });
    }
    if (egress?.learn) {
      problems.push({
        key: "egress.learn",
        message:
          "the network of sandboxes on platform aws answers no unlisted name, so there is nothing to learn; learn on a stack of another platform, and remove it here",
      });
    }
    return problems;
  },
};

/** Structured values come as JSON text; plain ones as they are. */
function plain(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "number" ? value : parsed;
  } catch {
    return value;
  }
}
