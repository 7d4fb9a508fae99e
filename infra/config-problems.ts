/** Problems of a configuration, as the person who wrote it shall read them. */
import type * as z from "zod";

export interface Problem {
  /** Of this project, or with the project that it is of: `cloudflare:baseUrl`. */
  readonly key: string;
  readonly message: string;
  /** What to type, where that says it all but the value. */
  readonly commands?: readonly string[];
}

/** What to do about a key that every stack needs. */
export const whenMissing: Readonly<Record<string, string>> = {
  domain:
    "set the base name of the sandboxes' addresses, for example sandbox.daytona.example.net",
  platform: "set it to host or aws",
  aws: "set region, for example eu-central-1",
  "aws.region": "set it, for example eu-central-1",
  "aws.edge.mixed.instanceTypes":
    "set types beside instanceType, for example [c6g.medium, m7g.medium]",
  "aws.gateway.mixed.instanceTypes":
    "set types beside instanceType, for example [c6g.medium, m7g.medium]",
  "aws.services.adopt.vpcId": "set the VPC of edges and gateways",
  "aws.services.adopt.subnetIds":
    "set its public subnets, one in each of aws.zones zones",
  "aws.sandboxes.adopt.vpcId": "set the VPC of Daytona's runners",
  "aws.sandboxes.adopt.subnetIds":
    "set the runners' subnets, one in each of aws.zones zones",
  "aws.sessionManager.package":
    "set the HTTPS address of the agent's Debian package",
  "aws.sessionManager.sha256":
    "set what sha256sum prints of the package; another one is not installed",
  cloudflare: "set zoneId, the id of the Cloudflare zone that holds the domain",
  "cloudflare.zoneId":
    "set the id of the Cloudflare zone that holds the domain; its overview page shows it",
  "certificate.challenge.zoneId":
    "set the id of the Cloudflare zone that the challenge's records are written in",
  "certificate.challenge.name":
    "set the name in that zone that _acme-challenge leads to by CNAME",
  upstream:
    "set mode: daytona and the url of Daytona's proxy, for example http://10.0.0.5:4000",
  "upstream.mode": "set it to daytona or direct",
  "upstream.url":
    "set the address of Daytona's proxy, for example http://10.0.0.5:4000",
  "upstream.resolver":
    "set IP and port of a resolver that knows the sandboxes, for example 127.0.0.1:53",
  "upstream.networks":
    "set the sandboxes' networks, for example [172.20.0.0/16]",
  egress: "set allow, the list of URLs that sandboxes may call",
  "egress.learn.until":
    'write when it ends, for example "2026-11-30T18:00:00Z"',
  host: "set address and hostKey of the server",
  "host.address": "set the server's address, for example 203.0.113.10",
  "host.hostKey":
    "set a public key of the server, so that no other can take its place; there: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
};

const set = (key: string, value: string) => {
  const path = `daytona-edge:${key}`;
  // A shell would look for files of that name.
  return `pulumi config set --path ${key.includes("[") ? `'${path}'` : path} ${value}`;
};
const zone = set("cloudflare.zoneId", "<32 hexadecimal digits>");
const daytona = set("upstream.url", "http://<address of Daytona's proxy>:4000");
const server = (key: string) => [
  set(`${key}.address`, "<address>"),
  set(`${key}.hostKey`, hostKey),
];
const hostKey = '"<type> <key>"';

// By its place: a list that is typed as a whole is kept as text.
const subnets = (key: string) =>
  [0, 1].map((place) => set(`${key}[${String(place)}]`, "<subnet>"));

/** The lines to type for a missing key that is no plain value, or has a form. */
const commandsWhenMissing: Readonly<Record<string, readonly string[]>> = {
  domain: [set("domain", "<base name>")],
  platform: [set("platform", "<host or aws>")],
  aws: [set("aws.region", "<region>")],
  "aws.edge.mixed.instanceTypes": [
    set("aws.edge.mixed.instanceTypes[0]", "<type>"),
  ],
  "aws.gateway.mixed.instanceTypes": [
    set("aws.gateway.mixed.instanceTypes[0]", "<type>"),
  ],
  "aws.services.adopt.subnetIds": subnets("aws.services.adopt.subnetIds"),
  "aws.sandboxes.adopt.subnetIds": subnets("aws.sandboxes.adopt.subnetIds"),
  cloudflare: [zone],
  "cloudflare.zoneId": [zone],
  egress: [set("egress.allow[0]", "'<https://host/path/*>'")],
  host: server("host"),
  upstream: [set("upstream.mode", "daytona"), daytona],
  "upstream.mode": [set("upstream.mode", "<daytona or direct>")],
  "upstream.url": [daytona],
  "upstream.resolver": [set("upstream.resolver", "<IP>:<port>")],
  "upstream.networks": [set("upstream.networks[0]", "<network>")],
};

/** Every server has an address and a host key, wherever it is named. */
function hintOf(key: string): string {
  const last = key.slice(key.lastIndexOf(".") + 1);
  return whenMissing[key] ?? whenMissing[`host.${last}`] ?? "set it";
}

/** That a key of the stack's is missing, and the lines that set it. */
export function missing(key: string): Problem {
  const value = key.endsWith("hostKey")
    ? hostKey
    : `<${key.slice(key.lastIndexOf(".") + 1)}>`;
  return {
    key,
    message: `missing; ${hintOf(key)}`,
    commands: commandsWhenMissing[key] ?? [set(key, value)],
  };
}

/**
 * One line a problem, aligned, under the file they stand in; then the lines
 * that one types to set what is missing.
 */
export function problemReport(
  file: string,
  prefix: string,
  problems: readonly Problem[],
): string {
  const full = (key: string) => (key.includes(":") ? key : `${prefix}${key}`);
  const width = Math.max(...problems.map(({ key }) => full(key).length));
  const count = `${String(problems.length)} problem${problems.length === 1 ? "" : "s"}`;
  const lines = problems.map(
    ({ key, message }) => `  ${full(key).padEnd(width)}  ${message}`,
  );
  const commands = new Set(
    problems.flatMap((problem) => problem.commands ?? []),
  );
  return [
    `${file}: ${count}`,
    ...lines,
    ...(commands.size > 0 ? ["To set what is missing, type:"] : []),
    ...[...commands].map((command) => `  ${command}`),
  ].join("\n");
}

/**
 * What zod found, as problems with the key and the fix.
 * @param hints what to do about a missing key; the stack's when absent
 */
export function issueProblems(
  issue: z.core.$ZodIssue,
  hints?: Readonly<Record<string, string>>,
): Problem[] {
  const key = issue.path.reduce<string>(
    (path, part) =>
      typeof part === "number"
        ? `${path}[${String(part)}]`
        : path === ""
          ? String(part)
          : `${path}.${String(part)}`,
    "",
  );
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => ({
      key: key === "" ? name : `${key}.${name}`,
      message: "nothing reads this key; remove it or correct its spelling",
    }));
  }
  if (
    (issue.code === "invalid_type" || issue.code === "invalid_value") &&
    issue.input === undefined
  ) {
    if (!hints) return [missing(key)];
    return [{ key, message: `missing; ${hints[key] ?? "set it"}` }];
  }
  if (issue.code === "invalid_union" && issue.discriminator !== undefined) {
    const given = issue.input as Record<string, unknown> | undefined;
    if (given?.[issue.discriminator] === undefined) return [missing(key)];
  }
  return [{ key, message: issue.message }];
}

/** A value as a message quotes it; what has parts is only named. */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : JSON.stringify(value);
}

/** What a format is called, and what to write. */
const formats: Readonly<Record<string, readonly [string, string]>> = {
  url: [
    "an https URL",
    "one such as https://acme-v02.api.letsencrypt.org/directory",
  ],
  email: ["an e-mail address", "one such as ops@example.net"],
  ipv4: ["an IPv4 address", "one such as 203.0.113.10"],
  ipv6: ["an IPv6 address", "one such as 2001:db8::10"],
  cidrv4: [
    "an IPv4 network",
    "one such as 10.0.0.0/8, or 10.0.0.1/32 for a single address",
  ],
};

/** The same of a type; those not named here are whole numbers. */
const types: Readonly<Record<string, readonly [string, string]>> = {
  string: ["text", 'one value, in quotes: "…"'],
  boolean: ["true or false", "one of them, without quotes"],
  object: ["a mapping", "its keys and their values below it"],
};

/**
 * What to say of a wrong value where its schema does not: the value, and what
 * to write. For `safeParse`, not for secrets.
 */
export function usualProblem(issue: z.core.$ZodRawIssue): string | undefined {
  const not = ([what, write]: readonly [string, string]) =>
    `${quote(issue.input)} is not ${what}; write ${write}`;
  switch (issue.code) {
    case "invalid_type":
      if (issue.expected === "array") {
        const { input } = issue;
        const single = typeof input === "string" || typeof input === "number";
        return not(["a list", single ? `[${String(input)}]` : "[…]"]);
      }
      return not(
        types[issue.expected] ?? ["a whole number", "one, without unit"],
      );
    case "invalid_value":
      return not(["known here", oneOf(issue.values.map(String))]);
    case "invalid_format": {
      const format = formats[issue.format];
      return format && not(format);
    }
    case "too_small":
      return issue.origin === "array"
        ? `an empty list; write ${String(issue.minimum)} or more`
        : `${quote(issue.input)} is too small; write ${String(issue.minimum)} or more`;
    case "too_big":
      return `${quote(issue.input)} is too large; write ${String(issue.maximum)} or less`;
    default:
      return undefined;
  }
}

/** "a, b or c". */
export function oneOf(values: readonly string[]): string {
  return values.join(", ").replace(/, (?=[^,]*$)/, " or ");
}
