/** An existing server, as the stack logs in to it. */
import type { types } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import * as z from "zod";
import { quote } from "../../config/problems.ts";
import { port, wrong } from "../../config/values.ts";
import type { Look } from "./pieces.ts";

const hostKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{32,}={0,2}$/,
    {
      error: (issue) =>
        // Pulumi's plugin offers that type alone, and no sshd of today signs by
        // it: rsa-sha2-256 and -512 it does not know for a pinned key.
        String(issue.input).startsWith("ssh-rsa ")
          ? "it is an RSA key, by which Pulumi's plugin cannot know the server; write what stands in /etc/ssh/ssh_host_ed25519_key.pub there, without the comment"
          : `${quote(issue.input)} is no public host key; write its type and the key as they stand in /etc/ssh/ssh_host_ed25519_key.pub on the server, for example "ssh-ed25519 AAAA…", without the comment`,
    },
  );

const notAddress = wrong(
  "is not a name or an address; write one such as 203.0.113.10, with the port in the key port",
);

const reached = {
  address: z
    .string()
    .regex(/^[A-Za-z0-9:][A-Za-z0-9.:-]*$/, { ...notAddress, abort: true })
    // What has a colon is IPv6 or wrong, and digits and dots alone are IPv4.
    .refine((text) => isIP(text) !== 0 || !/:|^[0-9.]+$/.test(text), notAddress)
    .describe("The server's address, for example 203.0.113.10."),
  port: port.default(22).describe("Port of SSH."),
  user: z
    .string()
    .default("root")
    .describe("Who logs in: root, or who may use sudo without a password."),
  hostKey: hostKey.meta({
    description:
      "A public key of the server, so that no other can take its place; there: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub.",
    value: '"<type> <key>"',
  }),
};

export const serverSettings = z.strictObject({
  ...reached,
  jump: z
    .strictObject(reached)
    .optional()
    .describe(
      "The server that SSH goes through, where there is no direct way.",
    ),
});

export type Server = z.infer<typeof serverSettings>;

/** A server, and the key that may log in to it. */
export interface Login {
  readonly server: Server;
  /** The SSH agent's keys when absent. */
  readonly privateKey: pulumi.Input<string> | undefined;
  /** What stands there already; what cannot be known is not repaired. */
  readonly look?: Look | undefined;
  /** What programs run from there; absent while it is put there itself. */
  readonly baseSystem?: pulumi.Resource;
}

/** How long a server that boots may take to answer, in ms. */
export const bootPatience = 60_000;

/**
 * How often the plugin tries, which is that long where the port is refused: it
 * waits 0.1 s, then half as long again each time, 5 s at most.
 */
const dialAttempts = 20;

/** How @pulumi/command reaches the server. */
export function connectionTo({
  server,
  privateKey,
}: Login): types.input.remote.ConnectionArgs {
  const key = privateKey === undefined ? {} : { privateKey };
  const { address: host, port, user, hostKey, jump } = server;
  return {
    ...{ host, port, user, hostKey, ...key },
    ...{ dialErrorLimit: dialAttempts, perDialTimeout: 15 },
    ...(jump && {
      proxy: {
        ...{ host: jump.address, port: jump.port, user: jump.user },
        ...{ hostKey: jump.hostKey, ...key },
      },
    }),
  };
}

const scripts = join(import.meta.dirname, "remote");

/** Scripts of remote/ that run on the server. */
export type RemoteScript =
  | "base-system"
  | "edge-status"
  | "firewall-restored"
  | "found-sandboxes"
  | "gateway-authority"
  | "gateway-status"
  | "journal"
  | "lock-store"
  | "look"
  | "read-document"
  | "remove-bundle"
  | "remove-state"
  | "run-certificate"
  | "unpack-and-install"
  | "wait-healthy"
  | "write-document"
  | "write-state";

/** Those that begin with replace-file.sh. */
const writers: readonly RemoteScript[] = ["write-document", "write-state"];

/** The command line that runs one of remote/ on the server. */
export function remoteScript(
  server: Server,
  script: RemoteScript,
  environment: Readonly<Record<string, string>> = {},
): string {
  const begin = writers.includes(script) ? text("replace-file") : "";
  return asRoot(server, begin + text(script), environment);
}

/**
 * The command line that runs a script on the server as root. sshd takes no
 * environment by itself, so the values stand in the line: they are no secrets.
 */
export function asRoot(
  { user }: Server,
  script: string,
  environment: Readonly<Record<string, string>> = {},
): string {
  const values = Object.entries(environment).map(
    ([name, value]) => `${name}=${quoted(value)}`,
  );
  const run = ["env", ...values, "sh", "-ec", quoted(script)].join(" ");
  return user === "root"
    ? `exec ${run}`
    : `${text("as-root")}exec sudo -n ${run}`;
}

function text(script: string): string {
  return readFileSync(join(scripts, `${script}.sh`), "utf8");
}

/** One word of a POSIX shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
