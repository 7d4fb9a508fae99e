/** What an edge takes of the live state `certificate.json`. */
import {
  certificateNames,
  certificateProblems,
  heldCertificate,
  readChain,
} from "../certificate/held-certificate.ts";
import { parseJson } from "../machine/parse-json.ts";

export interface ServedCertificate {
  /** Leaf, chain and key, as HAProxy loads them. */
  readonly pem: string;
  /** Of the leaf, upper-case hexadecimal. */
  readonly serial: string;
  readonly notAfter: Date;
}

/** No more of it, so that an edge serves what a later program writes. */
const served = heldCertificate.pick({ chain: true, key: true });

/** @throws Error that says all that is wrong with it, without its key */
export function servedCertificate(
  content: string,
  domain: string,
  now = new Date(),
): ServedCertificate {
  const held = parseJson(served, content);
  const problems = certificateProblems(held, certificateNames(domain), now);
  const [leaf] = problems.length === 0 ? readChain(held.chain) : [];
  if (!leaf) throw new Error(problems.join("; "));
  return {
    pem: `${held.chain.trim()}\n${held.key.trim()}\n`,
    serial: leaf.serialNumber,
    notAfter: new Date(leaf.validTo),
  };
}
