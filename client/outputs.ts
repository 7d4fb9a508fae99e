/** The stack's outputs, as `npm run outputs -- --show-secrets` or `pulumi stack output --json --show-secrets` print them. */

/** Who decides about access to a sandbox. */
export type AccessMode = "daytona" | "signed" | "public";

/** A key that signs sandbox tokens. */
export interface AccessKey {
  /** Names the key in a token's header (RFC 7515, section 4.1.4). */
  readonly kid: string;
  /** Its UTF-8 bytes are the HMAC key (RFC 7518, section 3.2). */
  readonly secret: string;
}

/** What sandboxes may call, and how they trust who answers. */
export interface Egress {
  /** URL patterns that sandboxes may call; everything else is refused. */
  readonly rules: readonly string[];
  /** Address of the gateway as sandboxes see it. */
  readonly gateway: string;
  /** Its name, where sandboxes ask the gateway for names; older stacks have none. */
  readonly gatewayName?: string;
  /** PEM of the authority that signs for inspected hosts. */
  readonly caCertificate: string;
  /** Environment that makes common runtimes trust that authority. */
  readonly sandboxEnv: Readonly<Record<string, string>>;
}

export interface StackOutputs {
  readonly contract: 1;
  /** Base name of all sandbox addresses. */
  readonly domain: string;
  /** Address of a port of a sandbox, with `{sandboxId}` and `{port}`. */
  readonly urlTemplate: string;
  readonly access: {
    readonly mode: AccessMode;
    /** The key to sign with; there when the mode is `signed`. */
    readonly key?: AccessKey;
  };
  /** Absent in a stack that has only the road in. */
  readonly egress?: Egress;
  /** Where the world sees sandboxes come from; there where it never changes. */
  readonly gateway?: {
    /** IPv4 addresses, for other people's allow lists. */
    readonly publicAddresses: readonly string[];
  };
  /** Ports that are refused on every sandbox. */
  readonly deniedPorts: readonly number[];
}

/**
 * Reads and checks the stack's outputs. Names that are not known here are
 * fine: the contract adds names and never renames one.
 * @param json text, or what `JSON.parse` made of it
 * @throws TypeError that lists every problem with its name and the fix
 */
export function readOutputs(json: unknown): StackOutputs {
  const value = typeof json === "string" ? parse(json) : json;
  const problems: string[] = [];
  const read = reader(value, problems);

  if (read("contract", "number") !== undefined && at(value, "contract") !== 1) {
    problems.push(
      `contract: ${String(at(value, "contract"))} is not known here, only 1; update daytona-edge/client to the version of the stack`,
    );
  }
  read("domain", "string");
  const template = read("urlTemplate", "string");
  if (
    typeof template === "string" &&
    !/^https:\/\/\{sandboxId\}-\{port\}\.[a-z0-9.-]+$/.test(template)
  ) {
    problems.push(
      `urlTemplate: ${JSON.stringify(template)} is not an address with {sandboxId} and {port}`,
    );
  }
  const mode = read("access.mode", "string");
  if (mode !== undefined && !modes.includes(mode as AccessMode)) {
    problems.push(
      `access.mode: ${JSON.stringify(mode)} is not one of ${modes.join(", ")}`,
    );
  }
  if (mode === "signed") {
    if (at(value, "access.key") === hidden) {
      problems.push(
        "access.key: the outputs were printed without their secrets; use --show-secrets",
      );
    } else {
      read("access.key.kid", "string");
      read("access.key.secret", "string");
    }
  }
  const ports = at(value, "deniedPorts");
  if (!Array.isArray(ports) || !ports.every(Number.isInteger)) {
    problems.push("deniedPorts: not a list of numbers");
  }
  if (at(value, "egress") !== undefined) {
    read("egress.gateway", "string");
    read("egress.caCertificate", "string");
    if (!Array.isArray(at(value, "egress.rules"))) {
      problems.push("egress.rules: not a list");
    }
    if (!isRecord(at(value, "egress.sandboxEnv"))) {
      problems.push("egress.sandboxEnv: not an object");
    }
  }
  const addresses = at(value, "gateway.publicAddresses");
  if (
    at(value, "gateway") !== undefined &&
    !(Array.isArray(addresses) && addresses.every(isString))
  ) {
    problems.push("gateway.publicAddresses: not a list of addresses");
  }
  if (problems.length > 0) {
    throw new TypeError(
      `These are not the outputs of a daytona-edge stack:\n  ${problems.join("\n  ")}`,
    );
  }
  return Object.freeze(value) as StackOutputs;
}

const modes: readonly AccessMode[] = ["daytona", "signed", "public"];

/** What Pulumi prints in the place of a secret. */
const hidden = "[secret]";

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own words would quote the text, and a secret with it.
    throw new TypeError(
      "These are not the outputs of a daytona-edge stack:\n  not JSON; use: npm run --silent outputs -- --show-secrets",
    );
  }
}

function reader(value: unknown, problems: string[]) {
  return (path: string, type: "string" | "number"): unknown => {
    const found = at(value, path);
    if (typeof found === type && found !== hidden) return found;
    problems.push(
      found === undefined
        ? `${path}: missing`
        : found === hidden
          ? `${path}: printed without its secret; use --show-secrets`
          : `${path}: not a ${type}`,
    );
    return undefined;
  };
}

function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, name) => (isRecord(inner) ? inner[name] : undefined),
      value,
    );
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
