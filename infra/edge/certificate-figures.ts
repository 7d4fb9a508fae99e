/** Figures of the certificate for Prometheus: its end, and whether it is renewed. */
import type { CertificateReport } from "../machine/live-state.ts";

/**
 * Prometheus' text format.
 * @param notAfter end of the certificate that is served, if one is
 * @param report of the last renewal, if there was one
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function certificateFigures(
  notAfter: Date | undefined,
  report: CertificateReport | undefined,
): string {
  const succeeded = report?.succeededAt;
  return [
    ...gauge(
      "not_after_timestamp_seconds",
      "When the certificate that is served ends.",
      notAfter && notAfter.getTime() / 1000,
    ),
    ...gauge(
      "renewal_success_timestamp_seconds",
      "When a run of the renewal last ended well.",
      succeeded === undefined ? undefined : Date.parse(succeeded) / 1000,
    ),
    ...gauge(
      "renewal_failed",
      "1 when the last run of the renewal failed.",
      report && (report.error === undefined ? 0 : 1),
    ),
    "",
  ].join("\n");
}

/** What is not known is left out: an alarm on absence sees it. */
function gauge(name: string, help: string, value: number | undefined) {
  if (value === undefined) return [];
  const full = `daytona_edge_certificate_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} gauge`,
    `${full} ${String(value)}`,
  ];
}
