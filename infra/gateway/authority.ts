/** The authority's files on the gateway: its key, and a leaf for each inspected host. */
import { readFileSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type KeyedCertificate,
  createEgressCa,
  createLeaf,
  decideEgressCa,
  decideLeaf,
} from "../certificate/egress-ca.ts";
import { writeAtomically } from "../machine/agent/files.ts";

/** Life of the authority and of a leaf, in days. */
const authorityDays = 365;
const leafDays = 30;

/** Clocks of sandboxes may be a little behind, in milliseconds. */
const clockSkew = 3_600_000;

export interface AuthorityArgs {
  /** Directory of the gateway's state. */
  readonly directory: string;
  /** Hosts that are inspected. */
  readonly hosts: readonly string[];
  readonly now: Date;
}

/**
 * Makes what is missing, out of date or for other hosts; removes leaves of
 * hosts that are not inspected any more.
 * @returns whether HAProxy has to load its certificates again
 */
export async function ensureAuthority(args: AuthorityArgs): Promise<boolean> {
  const { directory, hosts, now } = args;
  const notBefore = new Date(now.getTime() - clockSkew);
  const leaves = join(directory, "leaves");
  const unwanted = leafHosts(leaves).filter((host) => !hosts.includes(host));
  for (const host of unwanted) await rm(join(leaves, `${host}.pem`));
  // Without a name there is nothing to be an authority for.
  if (hosts.length === 0) return unwanted.length > 0;

  let changed = unwanted.length > 0;
  const keyFile = join(directory, "ca-and-key.pem");
  let ca = readKeyed(keyFile);
  if (ca === undefined || decideEgressCa(ca, hosts, now).action === "renew") {
    // Under the same key: what the gateway signs then is good as well for who
    // trusts the one before, such as a snapshot that was built with it.
    ca = await createEgressCa({
      names: hosts,
      notBefore,
      days: authorityDays,
      key: ca?.key,
    });
    await writeAtomically(keyFile, ca.certificate + ca.key, 0o600);
    changed = true;
  }
  for (const host of hosts) {
    const file = join(leaves, `${host}.pem`);
    if (decideLeaf(readKeyed(file), ca, host, now).action === "keep") continue;
    const leaf = await createLeaf(ca, host, { notBefore, days: leafDays });
    await writeAtomically(file, leaf.certificate + leaf.key, 0o600);
    changed = true;
  }
  // The served copy last: when a sandbox trusts it, the leaves are there.
  return (
    (await writeAtomically(join(directory, "ca.pem"), ca.certificate, 0o644)) ||
    changed
  );
}

function leafHosts(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".pem") && file !== "placeholder.pem")
    .map((file) => file.slice(0, -".pem".length));
}

/** A file of a certificate and its key; undefined when it is not one. */
function readKeyed(file: string): KeyedCertificate | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  const [certificate] =
    /-----BEGIN CERT[^]*?-----END CERT[A-Z]+-----\n/.exec(text) ?? [];
  const [key] =
    /-----BEGIN [A-Z ]*PRIVATE KEY[^]*?-----END [A-Z ]*PRIVATE KEY-----\n/.exec(
      text,
    ) ?? [];
  return certificate && key ? { certificate, key } : undefined;
}
