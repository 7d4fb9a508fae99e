/** The authority's files on the gateway: its key, and a leaf for each inspected host. */
import { readFileSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type KeyedCertificate,
  authorityDays,
  clockSkew,
  createEgressCa,
  createLeaf,
  decideEgressCa,
  decideLeaf,
  unvouched,
} from "../certificate/egress-ca.ts";
import { writeAtomically } from "../machine/write-atomically.ts";

/** Life of a leaf, in days. */
const leafDays = 30;

export interface AuthorityArgs {
  /** Directory of the gateway's state. */
  readonly directory: string;
  /** Hosts that are inspected. */
  readonly hosts: readonly string[];
  readonly now: Date;
  /** The authority of several gateways, which is made elsewhere; its own when absent. */
  readonly shared?: KeyedCertificate | undefined;
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

  const { ca, isNew } = args.shared
    ? { ca: vouching(args.shared, hosts), isNew: false }
    : await ownAuthority(args);
  let changed = isNew || unwanted.length > 0;
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

/** This gateway's own; made or renewed where that is due. */
async function ownAuthority({
  directory,
  hosts,
  now,
}: AuthorityArgs): Promise<{ ca: KeyedCertificate; isNew: boolean }> {
  const keyFile = join(directory, "ca-and-key.pem");
  const held = readKeyed(keyFile);
  if (held && decideEgressCa(held, hosts, now).action === "keep") {
    return { ca: held, isNew: false };
  }
  // Under the same key: what the gateway signs then is good as well for who
  // trusts the one before, such as a snapshot that was built with it.
  const ca = await createEgressCa({
    names: hosts,
    notBefore: new Date(now.getTime() - clockSkew),
    days: authorityDays,
    key: held?.key,
  });
  await writeAtomically(keyFile, ca.certificate + ca.key, 0o600);
  return { ca, isNew: true };
}

/** @throws Error when the authority may not sign for one of the hosts */
function vouching(
  ca: KeyedCertificate,
  hosts: readonly string[],
): KeyedCertificate {
  const others = unvouched(ca, hosts);
  if (others.length > 0) {
    throw new Error(
      `the authority of the store may not sign for ${others.join(", ")}; the stack makes another one before it changes the rules`,
    );
  }
  return ca;
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
