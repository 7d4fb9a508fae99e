/**
 * The function in AWS that makes the gateways' private authority, for all of
 * them one. The stack calls it when the inspected hosts change, and a schedule
 * before it comes of age.
 */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod";
import { egressAuthority } from "../machine/live-state.ts";
import { SecretsManagerStore } from "../machine/store/secrets-manager.ts";
import { readDocument } from "../machine/store/store.ts";
import {
  authorityDays,
  clockSkew,
  createEgressCa,
  decideEgressCa,
} from "./egress-ca.ts";

/** What the schedule and the stack send. */
const eventSchema = z.object({ hosts: z.array(z.string()).min(1) });

/** The function's environment. */
const settingsSchema = z.object({
  /** Goes before the name of its document. */
  AUTHORITY_SECRETS: z.string(),
});

/** @returns the authority's certificate, PEM */
export async function handler(
  event: unknown,
): Promise<{ readonly certificate: string }> {
  const { hosts } = eventSchema.parse(event);
  const settings = settingsSchema.parse(process.env);
  const store = new SecretsManagerStore(
    new SecretsManagerClient(),
    settings.AUTHORITY_SECRETS,
  );
  const read = await readDocument(store, egressAuthority);
  // What cannot be read is no reason to throw away the key that sandboxes trust.
  if (read && "problem" in read) {
    throw new Error(`${egressAuthority.name}: ${read.problem}`);
  }
  const now = new Date();
  const decision = decideEgressCa(read?.value, hosts, now);
  if (decision.action === "keep" && read) {
    return { certificate: read.value.certificate };
  }
  // Under the same key: sandboxes that trust the one before trust this one.
  const authority = await createEgressCa({
    names: hosts,
    notBefore: new Date(now.getTime() - clockSkew),
    days: authorityDays,
    key: read?.value.key,
  });
  await store.write(egressAuthority.name, JSON.stringify(authority));
  return { certificate: authority.certificate };
}
