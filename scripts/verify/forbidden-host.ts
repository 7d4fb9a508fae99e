/** A host that no rule allows, and where it really is. */
import { Resolver } from "node:dns/promises";
import { hostsOf } from "../../infra/gateway/rule-maps.ts";
import type { EgressRule } from "../../infra/gateway/rules.ts";
import { LabError } from "../lab/command.ts";

export interface ForbiddenHost {
  readonly host: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Made to be asked for by anybody (RFC 2606, 3; RFC 6761, 6.5). */
const examples = ["example.org", "example.com", "example.net"];

/** Of documentation (RFC 3849), when the host has no IPv6. */
const nowhere = "2001:db8::1";

/**
 * Looks the host up outside of the sandboxes, whose resolver does not know it.
 * @throws LabError when the rules allow all of them
 */
export async function forbiddenHost(
  rules: readonly EgressRule[],
): Promise<ForbiddenHost> {
  const allowed = hostsOf(rules).map((host) => host.replace("*.", ""));
  const host = examples.find(
    (example) =>
      !allowed.some((name) => name === example || name.endsWith(`.${example}`)),
  );
  if (host === undefined) {
    throw new LabError(
      `egress.allow names ${examples.join(", ")}, and verify needs one that no rule allows; remove one of them`,
    );
  }
  const resolver = new Resolver();
  const [ipv4] = await resolver.resolve4(host).catch((error: unknown) => {
    throw new LabError(
      `verify asks for ${host}, which no rule allows, and it cannot be looked up here (${(error as Error).message}); run it where names of the internet can be`,
    );
  });
  const [ipv6 = nowhere] = await resolver.resolve6(host).catch(() => []);
  if (ipv4 === undefined) throw new LabError(`${host} has no IPv4 address`);
  return { host, ipv4, ipv6 };
}
