import { expect, test } from "vitest";
import { chart } from "../../../scripts/bench/edge/chart.ts";
import type { Results } from "../../../scripts/bench/edge/results.ts";
import { thousands } from "../../../scripts/bench/thousands.ts";

const results: Results = {
  date: "2026-11-24T12:00:00.000Z",
  machine: { processor: "?", kernel: "6.12", versions: {} },
  rate: {
    http1: { edge: 30_000, bare: 60_000, ratio: 0.5 },
    http2: { edge: 1, bare: 1, ratio: 1 },
    nginx: 15_000,
    caddy: 6_000,
  },
  latency: { edge: 1, bare: 1 },
  webSockets: { count: 1, bytes: 1 },
  memory: { before: 1, after: 1, afterMore: 1, nginx: 1, caddy: 1 },
};

test("bars are as long as their rates, and the longest fills its room", () => {
  const svg = chart(results);
  const widths = [...svg.matchAll(/<rect .*?width="(\d+)"/g)].map((match) =>
    Number(match[1]),
  );
  const [longest = 0] = widths;
  expect(widths).toHaveLength(4);
  expect(widths.map((width) => width / longest)).toEqual([1, 0.5, 0.25, 0.1]);
});

test("every bar says what it is and its figure, and the chart its day", () => {
  const svg = chart(results);
  for (const text of [
    "bare HAProxy",
    ">60 000<",
    "daytona-edge",
    ">30 000<",
    "nginx",
    ">15 000<",
    "Caddy",
    ">6 000<",
    "2026-11-24",
  ]) {
    expect(svg).toContain(text);
  }
});

test("is one picture that needs nothing else", () => {
  const svg = chart(results);
  expect(svg).toMatch(/^<svg [^>]*role="img" aria-label="[^"]+">/);
  expect(svg.trim()).toMatch(/<\/svg>$/);
  expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(
    /https?:|href|url\(/,
  );
});

test("thousands", () => {
  expect(thousands(1_234_567.4)).toBe("1 234 567");
  expect(thousands(999)).toBe("999");
});
