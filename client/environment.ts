import type { StackOutputs } from "./outputs.ts";

/** What a new sandbox should get, so that its runtimes can call what they may. */
export interface SandboxEnvironment {
  /** Environment variables, for Daytona's `create({envVars})`. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to upload once it runs. */
  readonly files: readonly {
    readonly path: string;
    readonly content: string;
  }[];
  /** Command lines to run in it afterwards, as root. */
  readonly commands: readonly string[];
}

/**
 * The variables and the authority's certificate that a new sandbox should get
 * (`curl -fsS http://gateway.internal/install-ca.sh | sh` in it does the same).
 * @throws TypeError when the stack has no road out
 */
export function sandboxEnvironment(outputs: StackOutputs): SandboxEnvironment {
  const { egress } = outputs;
  if (!egress) {
    throw new TypeError(
      "This stack has only the road in: set egress and gateway in its configuration",
    );
  }
  const path = egress.sandboxEnv.NODE_EXTRA_CA_CERTS;
  const inspects = egress.caCertificate.includes("BEGIN CERTIFICATE");
  if (path === undefined || !inspects) {
    return { env: {}, files: [], commands: [] };
  }
  return {
    env: egress.sandboxEnv,
    files: [{ path, content: egress.caCertificate }],
    // The link goes first: a snapshot may hold an earlier authority, and with it
    // there Debian does not tell Java's store of a change.
    commands: [
      "rm -f /etc/ssl/certs/daytona-egress.pem && update-ca-certificates",
    ],
  };
}
