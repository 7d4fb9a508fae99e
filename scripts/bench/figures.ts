/** What the load generators print, as numbers. */

/** Requests per second of `wrk`. @throws Error when it says none, or errors */
export function wrkRate(output: string): number {
  return Number(wrkFigure(output, /^Requests\/sec:\s+([\d.]+)$/m)[0]);
}

/** Bytes per second of `wrk`, unfinished answers included. @throws Error as above */
export function wrkBytes(output: string): number {
  const pattern = /^Transfer\/sec:\s+([\d.]+)([KMGT]?)B$/m;
  const [number, unit = ""] = wrkFigure(output, pattern);
  return Number(number) * 1024 ** ["", "K", "M", "G", "T"].indexOf(unit);
}

function wrkFigure(output: string, pattern: RegExp): string[] {
  const figure = pattern.exec(output)?.slice(1);
  const bad = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(
    output,
  );
  if (figure === undefined || bad) {
    throw new Error(`wrk: ${bad?.[0] ?? "no rate"}\n${output}`);
  }
  return figure;
}

/** Requests per second of `h2load`. @throws Error when requests failed */
export function h2loadRate(output: string): number {
  const rate = /([\d.]+) req\/s/.exec(output)?.[1];
  const failed = /(\d+) failed/.exec(output)?.[1];
  const other = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(
    output,
  );
  const isClean =
    failed === "0" && other?.slice(1).every((count) => count === "0");
  if (rate === undefined || !isClean) throw new Error(`h2load:\n${output}`);
  return Number(rate);
}

/**
 * A percentile of request times in `h2load --log-file`, in milliseconds: start,
 * status and duration in microseconds, separated by tabs.
 */
export function logPercentile(log: string, percent: number): number {
  const times = log
    .split("\n")
    .map((line) => Number(line.split("\t")[2]))
    .filter((time) => time > 0);
  if (times.length === 0) throw new Error("h2load logged no request");
  return percentile(times, percent) / 1000;
}

/** By the nearest rank. @throws Error when there are no values */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const index = Math.ceil((sorted.length * percent) / 100) - 1;
  const value = sorted[Math.max(0, index)];
  if (value === undefined) throw new Error("no values to take a percentile of");
  return value;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  if (upper === undefined || lower === undefined) {
    throw new Error("no values to take the median of");
  }
  return (upper + lower) / 2;
}
