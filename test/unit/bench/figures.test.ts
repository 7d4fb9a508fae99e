import { describe, expect, test } from "vitest";
import {
  h2loadRate,
  logPercentile,
  median,
  percentile,
  wrkBytes,
  wrkRate,
} from "../../../scripts/bench/figures.ts";

describe("wrk", () => {
  const output = `Running 6s test @ https://example:443/
  1 threads and 64 connections
  217341 requests in 6.00s, 45.39MB read
Requests/sec:  36221.17
Transfer/sec:      7.56MB
`;

  test("its rate", () => {
    expect(wrkRate(output)).toBe(36_221.17);
  });

  test.each([
    ["512.00B", 512],
    ["1.50KB", 1_536],
    ["7.56MB", 7_927_234.56],
    ["1.02GB", 1_095_216_660.48],
  ])("its bytes: %s", (written, bytes) => {
    expect(wrkBytes(output.replace("7.56MB", written))).toBeCloseTo(bytes);
  });

  test.each([
    ["answers that are errors", "  Non-2xx or 3xx responses: 12\n"],
    [
      "connections that broke",
      "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
    ],
  ])("no figure from %s", (_, line) => {
    expect(() => wrkRate(output.replace("Requests/sec", `${line}$&`))).toThrow(
      line.trim(),
    );
  });

  test("no figure from nothing", () => {
    expect(() => wrkRate("unable to connect")).toThrow("no rate");
  });
});

describe("h2load", () => {
  const output = (failed: number, codes: string) => `
finished in 6.01s, 34903.17 req/s, 4.16MB/s
requests: 209419 total, 209547 started, 209419 done, 209419 succeeded, ${String(failed)} failed, 0 errored, 0 timeout
status codes: ${codes}
`;

  test("its rate", () => {
    const text = output(0, "209419 2xx, 0 3xx, 0 4xx, 0 5xx");
    expect(h2loadRate(text)).toBe(34_903.17);
  });

  test.each([
    [1, "209419 2xx, 0 3xx, 0 4xx, 0 5xx"],
    [0, "209418 2xx, 1 3xx, 0 4xx, 0 5xx"],
    [0, "0 2xx, 0 3xx, 209419 4xx, 0 5xx"],
    [0, "209000 2xx, 0 3xx, 0 4xx, 419 5xx"],
  ])("no figure when not all is well: %i failed, %s", (failed, codes) => {
    expect(() => h2loadRate(output(failed, codes))).toThrow("h2load");
  });
});

describe("percentile of a log", () => {
  const log = Array.from(
    { length: 200 },
    (_, i) => `1732450000000000\t200\t${String((i + 1) * 10)}`,
  ).join("\n");

  test("in milliseconds", () => {
    expect(logPercentile(log, 99)).toBe(1.98);
    expect(logPercentile(log, 50)).toBe(1);
    expect(logPercentile(log, 100)).toBe(2);
  });

  test("of one request is that request", () => {
    expect(logPercentile("1\t200\t1500\n", 99)).toBe(1.5);
  });

  test("of none is an error", () => {
    expect(() => logPercentile("", 99)).toThrow("no request");
  });
});

test("percentile by the nearest rank", () => {
  expect(percentile([3, 1, 2], 50)).toBe(2);
  expect(percentile([3, 1, 2], 99)).toBe(3);
  expect(() => percentile([], 50)).toThrow("no values");
});

test("median", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(() => median([])).toThrow("no values");
});
