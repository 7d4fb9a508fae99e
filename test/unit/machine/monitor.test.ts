import { expect, onTestFinished, test } from "vitest";
import { monitor } from "../../../infra/machine/agent/monitor.ts";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../temporary.ts";

/** Runs a shell's script as the program. */
function monitored(...command: readonly [string, ...string[]]) {
  const stop = new AbortController();
  const seen = { changes: 0, lines: [] as string[] };
  const running = monitor(
    command,
    () => seen.changes++,
    (line) => seen.lines.push(line),
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return seen;
}

test("what a program prints is a change, and so is its beginning", async () => {
  const file = join(await temporaryDirectory(), "go");
  const seen = monitored(
    "sh",
    "-c",
    `until [ -e "$0" ]; do sleep 0.05; done; echo changed; exec sleep 60`,
    file,
  );
  await expect.poll(() => seen.changes).toBe(1);
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, "");
  await expect.poll(() => seen.changes).toBe(2);
  expect(seen.lines).toEqual([]);
});

test("one that ends begins again, is said once, and each end is a change", async () => {
  const seen = monitored("sh", "-c", "echo no such group >&2; exit 1");
  await expect.poll(() => seen.changes, { timeout: 10_000 }).toBe(3);
  expect(seen.lines).toEqual(["sh ended, and begins again: no such group"]);
});

test("one that is not installed is a change again and again", async () => {
  const seen = monitored("/nowhere/socat");
  await expect.poll(() => seen.changes, { timeout: 10_000 }).toBe(2);
  expect(seen.lines).toEqual([expect.stringContaining("ENOENT")]);
});
