/** The ACME account: who may order. */
import { findAccount } from "../../infra/certificate/account.ts";
import type { CertificateStore } from "../../infra/certificate/store.ts";
import { type Row, bad, good } from "./row.ts";

/** @param orderedBy URL of the account that the certificate was ordered by */
export async function accountRow(
  directory: string,
  store: CertificateStore,
  orderedBy: string | undefined,
): Promise<Row> {
  const what = "account";
  const account = await findAccount(directory, store);
  if (account === undefined) {
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
        "CAA names one account only: put acme-account.json back from a backup, or run pulumi up, which names the new one",
      );
}
