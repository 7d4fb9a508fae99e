import { beforeEach, expect, test, vi } from "vitest";
import { DirectoryStore } from "../../../infra/machine/store/directory.ts";
import type { HeldCertificate } from "../../../infra/certificate/held-certificate.ts";
import { type Ensured, reported } from "../../../infra/certificate/report.ts";
import {
  type CertificateReport,
  certificateReport,
} from "../../../infra/machine/live-state.ts";
import { temporaryDirectory } from "../temporary.ts";

const day = 24 * 60 * 60_000;
const begin = Date.parse("2026-12-01T00:00:00Z");
const log = vi.fn<(line: string) => void>();
let store: DirectoryStore;

beforeEach(async () => {
  store = new DirectoryStore(await temporaryDirectory());
  log.mockClear();
});

const ended = (action: Ensured["action"], renewalDue?: Date): Ensured => ({
  action,
  certificate: {} as HeldCertificate,
  renewalDue,
});

const run = (days: number, work: () => Promise<Ensured>) =>
  reported({ store, now: () => new Date(begin + days * day), log }, work);

const at = (days: number) => new Date(begin + days * day).toISOString();

async function report(): Promise<CertificateReport> {
  const text = await store.read(certificateReport.name);
  return certificateReport.parse(text ?? "");
}

test("says when it ran, when it went well, and when the next is due", async () => {
  await run(0, () => Promise.resolve(ended("issued")));
  await run(1, () =>
    Promise.resolve(ended("kept", new Date(begin + 60 * day))),
  );
  expect(await report()).toEqual({
    ranAt: at(1),
    succeededAt: at(1),
    renewalDue: at(60),
    issuedAt: [at(0)],
  });
});

test("a failure is kept with its words, and thrown on; what was known stays", async () => {
  await run(0, () => Promise.resolve(ended("kept", new Date(begin + 9 * day))));
  const failing = run(2, () => Promise.reject(new Error("come back later")));
  await expect(failing).rejects.toThrow("come back later");
  expect(await report()).toEqual({
    ranAt: at(2),
    error: "come back later",
    succeededAt: at(0),
    renewalDue: at(9),
    issuedAt: [],
  });
});

test("counts what was issued in the last week", async () => {
  for (const days of [0, 1, 7.5]) {
    await run(days, () => Promise.resolve(ended("issued")));
  }
  expect((await report()).issuedAt).toEqual([at(1), at(7.5)]);
});

test("a damaged one is begun anew", async () => {
  await store.write(certificateReport.name, "{");
  await run(0, () => Promise.resolve(ended("issued")));
  expect((await report()).issuedAt).toEqual([at(0)]);
});

test("one that cannot be kept spoils nothing", async () => {
  vi.spyOn(store, "write").mockRejectedValue(new Error("disk full"));
  const issued = ended("issued");
  expect(await run(0, () => Promise.resolve(issued))).toBe(issued);
  expect(log).toHaveBeenCalledWith("the report could not be kept: disk full");
});
