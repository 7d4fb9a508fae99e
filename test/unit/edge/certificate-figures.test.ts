import { expect, test } from "vitest";
import { certificateFigures } from "../../../infra/edge/certificate-figures.ts";

const values = (text: string) =>
  text.split("\n").filter((line) => /^[a-z]/.test(line));

test("a certificate, and a renewal that has failed since", () => {
  const text = certificateFigures(new Date("2027-01-01T00:00:00Z"), {
    ranAt: "2026-12-02T00:00:00Z",
    error: "rate limited",
    succeededAt: "2026-12-01T00:00:00Z",
    issuedAt: [],
  });
  expect(values(text)).toEqual([
    "daytona_edge_certificate_not_after_timestamp_seconds 1798761600",
    "daytona_edge_certificate_renewal_success_timestamp_seconds 1796083200",
    "daytona_edge_certificate_renewal_failed 1",
  ]);
});

test("what is not known is left out", () => {
  expect(values(certificateFigures(undefined, undefined))).toEqual([]);
});
