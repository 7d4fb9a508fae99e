/** The certificate in the store, and whether somebody renews it. */
import { runInterval } from "../../infra/certificate/decide.ts";
import {
  type HeldCertificate,
  certificateProblems,
} from "../../infra/certificate/held-certificate.ts";
import type { CertificateReport } from "../../infra/machine/live-state.ts";
import type { Read } from "../../infra/machine/store/store.ts";
import { type Row, bad, good, warning } from "./row.ts";

/** As the store has it, or without its key. */
type ReadCertificate = Omit<HeldCertificate, "key"> & { key?: string };

const hour = 60 * 60_000;
const day = 24 * hour;

/** Certificates for the same names that Let's Encrypt issues in a week. */
const weeklyLimit = 5;

/**
 * Hosts of directories whose certificates nobody trusts: acme-staging-v02.… of
 * Let's Encrypt, dv.acme-v02.test-api.… of Google, api.test4.… of Buypass.
 */
const testAuthority = /(^|[.-])(staging|test)/;

const runItNow =
  "run it now and read what it says: run-certificate.sh issue, where certificates are made";

export function certificateRow(
  read: Read<ReadCertificate>,
  names: readonly string[],
  now: Date,
): Row {
  const what = "certificate";
  if (!read) return bad(what, "there is none in the store", runItNow);
  if ("problem" in read) {
    return bad(what, `the store's cannot be read: ${read.problem}`, runItNow);
  }
  const { value } = read;
  const problems = certificateProblems(value, names, now);
  if (problems.length > 0) return bad(what, problems.join("; "), runItNow);
  const left = Date.parse(value.notAfter) - now.getTime();
  const found = `${value.serial}, good for ${duration(left)}`;
  const { host } = new URL(value.directory);
  return testAuthority.test(host)
    ? warning(
        what,
        `${found}, from ${host}, which is for tests: browsers refuse it, and Cloudflare's Workers answer 526`,
        "take daytona-edge:certificate.directory away, or name another there, then pulumi up",
      )
    : good(what, found);
}

export function renewalRow(read: Read<CertificateReport>, now: Date): Row {
  const what = "renewal";
  const seeTimer =
    "see why its timer does not run: systemctl list-timers daytona-certificate.timer, where certificates are made";
  if (!read) return bad(what, "no run has ever reported", seeTimer);
  if ("problem" in read) {
    return bad(what, `the report cannot be read: ${read.problem}`, runItNow);
  }
  const { ranAt, error, succeededAt, renewalDue } = read.value;
  const ago = duration(now.getTime() - Date.parse(ranAt));
  if (error !== undefined) {
    const since = succeededAt
      ? `, and well for the last time ${duration(now.getTime() - Date.parse(succeededAt))} ago`
      : "";
    return bad(what, `the last run, ${ago} ago${since}: ${error}`, runItNow);
  }
  if (now.getTime() - Date.parse(ranAt) > runInterval) {
    return bad(what, `no run for ${ago}`, seeTimer);
  }
  const due = renewalDue
    ? `; due in ${duration(Date.parse(renewalDue) - now.getTime())}`
    : "";
  return good(what, `the last run was ${ago} ago${due}`);
}

export function limitRow(
  read: Read<CertificateReport>,
  directory: string,
  now: Date,
): Row {
  const what = "limits";
  const issuedAt = read && "value" in read ? read.value.issuedAt : [];
  const count = issuedAt.filter(
    (at) => now.getTime() - Date.parse(at) < 7 * day,
  ).length;
  const found = `${String(count)} issued in a week; Let's Encrypt allows ${String(weeklyLimit)}`;
  const fix = `find what orders again and again before ${new URL(directory).host} refuses: names, profile, key type or directory that change, or a store that is lost`;
  if (count >= weeklyLimit) return bad(what, found, fix);
  return count >= weeklyLimit - 2
    ? warning(what, found, fix)
    : good(what, found);
}

function duration(ms: number): string {
  const past = Math.max(0, ms);
  if (past >= 2 * day) return `${String(Math.floor(past / day))} days`;
  if (past >= 2 * hour) return `${String(Math.floor(past / hour))} hours`;
  return `${String(Math.floor(past / 60_000))} minutes`;
}
