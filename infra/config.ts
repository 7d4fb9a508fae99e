/**
 * The one place that reads `pulumi.Config`: one strict schema, one parse. All
 * other code takes the plain, frozen `StackConfig`.
 */
import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime/index.js";
import { z } from "zod";
import {
  type Problem,
  issueProblems,
  problemReport,
} from "./config-problems.ts";
import { type EgressRule, parseEgressRules } from "./gateway/rules.ts";

/** Ports of Daytona's own daemons in a sandbox; nobody is ever let in there. */
const reservedPorts = [2280, 5900, 5901, 6080, 22220, 22222, 33333];

const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

const hostname = z
  .string()
  .regex(/^(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, {
    error: (issue) =>
      `${quote(issue.input)} is not a lower-case host name; write one such as sandbox.daytona.example.net`,
  });

const daytonaUpstream = z.strictObject({
  mode: z.literal("daytona"),
  url: z.string().regex(/^http:\/\/[^/:\s]+:[1-9][0-9]{0,4}$/, {
    error: (issue) =>
      `${quote(issue.input)} is not the address of Daytona's proxy; write http, host and port, for example http://10.0.0.5:4000`,
  }),
});

const directUpstream = z.strictObject({
  mode: z.literal("direct"),
  resolver: z.string().regex(/^[0-9a-f.:[\]]+:[1-9][0-9]{0,4}$/, {
    error: (issue) =>
      `${quote(issue.input)} is not the address of a resolver that knows the sandboxes; write IP and port, for example 127.0.0.1:53`,
  }),
  networks: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .min(1, "name the sandboxes' networks, for example [172.20.0.0/16]"),
});

const schema = z.strictObject({
  domain: hostname,
  platform: z.enum(["local"]),
  cloudflare: z.strictObject({
    zoneId: z.string().regex(/^[0-9a-f]{32}$/, {
      error: (issue) =>
        `${quote(issue.input)} is not a zone id; copy the 32 hexadecimal digits from the zone's overview page at Cloudflare`,
    }),
  }),
  certificate: z
    .strictObject({
      directory: z.url({ protocol: /^https$/ }).default(letsEncrypt),
      contact: z.email().optional(),
      caaIdentity: hostname.default("letsencrypt.org"),
    })
    .prefault({}),
  upstream: z.discriminatedUnion("mode", [daytonaUpstream, directUpstream]),
  access: z.enum(["daytona", "public"]).optional(),
  toolbox: z.boolean().default(false),
  deniedPorts: z.array(z.int().min(1).max(65535)).default([]),
  egress: z.strictObject({ allow: z.unknown() }),
  gateway: z.strictObject({
    server: z.strictObject({
      address: z.string(),
      user: z.string().default("root"),
      hostKey: z.string().optional(),
    }),
    sandboxes: z.strictObject({
      interfaces: z.array(z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/)).min(1),
      networks: z.array(z.cidrv4()).min(1),
    }),
    rootServers: z.array(z.ipv4()).default([]),
  }),
});

type Parsed = z.infer<typeof schema>;

/** Everything the stack is made from; plain and frozen. */
export interface StackConfig {
  readonly domain: string;
  readonly platform: Parsed["platform"];
  readonly zoneId: string;
  readonly certificate: Parsed["certificate"];
  readonly upstream: Parsed["upstream"];
  readonly access: "daytona" | "public";
  readonly toolbox: boolean;
  /** Ports that are refused on every sandbox, ascending. */
  readonly deniedPorts: readonly number[];
  readonly egressRules: readonly EgressRule[];
  readonly gateway: Parsed["gateway"];
}

/**
 * Reads and checks the stack's configuration.
 * @throws pulumi.RunError that lists every problem with its key and the fix.
 */
export function readConfig(): {
  config: StackConfig;
  /** Where Cloudflare's API is, when the provider was told. */
  cloudflareUrl: string | undefined;
  sshPrivateKey: pulumi.Output<string>;
} {
  const project = new pulumi.Config();
  const prefix = `${project.name}:`;
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(allConfig() ?? {})) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    if (name !== "sshPrivateKey") given[name] = plain(value);
  }
  const result = parseConfig(given);
  const sshPrivateKey = project.getSecret("sshPrivateKey");
  if (!sshPrivateKey) {
    result.problems.push({
      key: "sshPrivateKey",
      message:
        "missing; set the key that may log in to gateway.server: pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519",
    });
  }
  if (!result.config || !sshPrivateKey) {
    throw new pulumi.RunError(
      problemReport(
        `Pulumi.${pulumi.getStack()}.yaml`,
        prefix,
        result.problems,
      ),
    );
  }
  const cloudflareUrl = new pulumi.Config("cloudflare").get("baseUrl");
  return { config: result.config, cloudflareUrl, sshPrivateKey };
}

/** Checks configuration values; pure. `config` is there when `problems` is empty. */
export function parseConfig(given: Record<string, unknown>): {
  config?: StackConfig;
  problems: Problem[];
} {
  const parsed = schema.safeParse(given);
  const problems: Problem[] = parsed.success
    ? []
    : parsed.error.issues.flatMap(issueProblems);
  const allow = (given.egress as { allow?: unknown } | undefined)?.allow;
  const egress = parseEgressRules(allow ?? []);
  problems.push(
    ...egress.problems.map(({ key, message }) => ({
      key: `egress.allow${key}`,
      message,
    })),
  );
  if (!parsed.success) return { problems };

  const { upstream } = parsed.data;
  if (upstream.mode === "direct" && parsed.data.access !== "public") {
    problems.push({
      key: "access",
      message: `${quote(parsed.data.access)} cannot guard upstream.mode direct: Daytona is not asked there; set it to public if every sandbox may be reached by anyone`,
    });
  }
  if (problems.length > 0) return { problems };
  const { domain, platform, certificate, toolbox, gateway } = parsed.data;
  return {
    problems,
    config: Object.freeze({
      domain,
      platform,
      certificate,
      upstream,
      toolbox,
      gateway,
      access: parsed.data.access ?? "daytona",
      zoneId: parsed.data.cloudflare.zoneId,
      deniedPorts: [
        ...new Set([...reservedPorts, ...parsed.data.deniedPorts]),
      ].sort((a, b) => a - b),
      egressRules: egress.rules,
    }),
  };
}

/** Structured values come as JSON text; plain ones as they are. */
function plain(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "number" ? value : parsed;
  } catch {
    return value;
  }
}

function quote(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
