/**
 * What became of the last run, kept beside the certificate for whoever watches
 * it: the edges' figures, `npm run doctor`, an alarm.
 */
import {
  type CertificateReport,
  certificateReport,
} from "../machine/live-state.ts";
import {
  type Store,
  readDocument,
  writeDocument,
} from "../machine/store/store.ts";
import type { HeldCertificate } from "./held-certificate.ts";

/** Time in which authorities count certificates for the same names, in ms. */
const countedTime = 7 * 24 * 60 * 60_000;

/** What a run that ended well has done. */
export interface Ensured {
  readonly action: "kept" | "issued";
  readonly certificate: HeldCertificate;
  /** When it is to be renewed; unknown just after its issue. */
  readonly renewalDue?: Date | undefined;
}

export interface ReportArgs {
  readonly store: Store;
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

/** Runs `work` and keeps a report of it; what it throws is thrown on. */
export async function reported(
  args: ReportArgs,
  work: () => Promise<Ensured>,
): Promise<Ensured> {
  try {
    const ensured = await work();
    await keep(args, { ensured });
    return ensured;
  } catch (error) {
    await keep(args, { error: error as Error });
    throw error;
  }
}

async function keep(
  { store, now, log }: ReportArgs,
  { ensured, error }: { ensured?: Ensured; error?: Error },
): Promise<void> {
  try {
    const read = await readDocument(store, certificateReport);
    const before = read && "value" in read ? read.value : undefined;
    const ranAt = now().toISOString();
    const counted = now().getTime() - countedTime;
    const succeededAt = ensured ? ranAt : before?.succeededAt;
    const due = ensured
      ? ensured.renewalDue?.toISOString()
      : before?.renewalDue;
    await writeDocument(store, certificateReport, {
      ranAt,
      error: error?.message,
      succeededAt,
      renewalDue: due,
      issuedAt: [
        ...(before?.issuedAt ?? []).filter((at) => Date.parse(at) > counted),
        ...(ensured?.action === "issued" ? [ranAt] : []),
      ],
    } satisfies CertificateReport);
  } catch (failure) {
    // The certificate counts, and what became of it is said all the same.
    log(`the report could not be kept: ${(failure as Error).message}`);
  }
}
