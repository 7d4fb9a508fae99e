/**
 * Figures of each sandbox for Prometheus, from the stick table that HAProxy
 * counts in. The table forgets what is idle for an hour and has a fixed size,
 * and the busiest come first: the answer does not grow without bound.
 */

/** How many sandboxes one answer has at most. */
export const sandboxLimit = 1_000;

/** Prometheus name, help text and field of the stick table. */
const figures = [
  ["requests_total", "counter", "Requests that were let in.", "gpc0"],
  ["failed_total", "counter", "Answers of 500 and above.", "http_fail_cnt"],
  ["received_bytes_total", "counter", "From clients.", "bytes_in_cnt"],
  ["sent_bytes_total", "counter", "To clients.", "bytes_out_cnt"],
  ["open_requests", "gauge", "Requests now, streams included.", "conn_cur"],
] as const;

interface Row {
  readonly sandbox: string;
  readonly values: ReadonlyMap<string, number>;
}

/**
 * HAProxy's `show table` in Prometheus' text format.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function sandboxFigures(shown: string): string {
  // A sandbox that nobody was let in to may be a stranger's invention.
  const rows = shown
    .split("\n")
    .map(parseRow)
    .filter((row) => row !== undefined)
    .filter(({ values }) => (values.get("gpc0") ?? 0) > 0)
    .sort((a, b) => requests(b) - requests(a));
  const listed = rows.slice(0, sandboxLimit);
  const lines = figures.flatMap(([name, type, help, field]) => [
    `# HELP daytona_edge_sandbox_${name} ${help}`,
    `# TYPE daytona_edge_sandbox_${name} ${type}`,
    ...listed.map(
      ({ sandbox, values }) =>
        `daytona_edge_sandbox_${name}{sandbox="${sandbox}"} ${String(values.get(field) ?? 0)}`,
    ),
  ]);
  return [
    ...lines,
    "# HELP daytona_edge_sandboxes Sandboxes with requests in the last hour.",
    "# TYPE daytona_edge_sandboxes gauge",
    `daytona_edge_sandboxes ${String(rows.length)}`,
    "",
  ].join("\n");
}

function requests({ values }: Row): number {
  return values.get("gpc0") ?? 0;
}

/** `0x5581: key=ID use=0 exp=… shard=0 gpc0=3 gpc0_rate(10000)=0 …` */
function parseRow(line: string): Row | undefined {
  const sandbox = / key=([0-9a-f-]{36}) /.exec(line)?.[1];
  if (sandbox === undefined) return undefined;
  const values = [...line.matchAll(/ ([a-z0-9_]+)=(\d+)/g)].map(
    ([, field = "", value]) => [field, Number(value)] as const,
  );
  return { sandbox, values: new Map(values) };
}
