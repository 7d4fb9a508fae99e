/** The ACME account: who may order. */
import * as z from "zod";
import { acmeAccount } from "../../infra/machine/live-state.ts";
import { type Row, bad, good } from "./row.ts";

const answer = z.object({ account: z.url().nullable() });

/**
 * @param directory URL of the ACME server's directory
 * @param said what the certificate's program answers to find-account
 * @param orderedBy URL of the account that the certificate was ordered by
 */
export function accountRow(
  directory: string,
  said: string,
  orderedBy: string | undefined,
): Row {
  const what = "account";
  const { account } = answer.parse(JSON.parse(said));
  if (account === null) {
    return bad(
      what,
      `${new URL(directory).host} knows no account of our key`,
      "pulumi up --refresh registers one, and CAA names it then",
    );
  }
  return orderedBy === undefined || orderedBy === account
    ? good(what, account)
    : bad(
        what,
        `${account}, but the certificate was ordered by ${orderedBy}`,
        `CAA names one account only: put ${acmeAccount.name} back from a backup, or run pulumi up, which names the new one`,
      );
}
