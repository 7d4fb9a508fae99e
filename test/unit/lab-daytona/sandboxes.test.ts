import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  addressesOf,
  freeNumber,
} from "../../../scripts/lab/daytona/server/record.ts";
import {
  SandboxConflict,
  type SandboxRuntime,
  Sandboxes,
} from "../../../scripts/lab/daytona/server/sandboxes.ts";
import { loopbackRuntime } from "./lab.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-daytona-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const never = () => new Promise<void>(() => undefined);
const initial = [
  { id: "a", public: true },
  { id: "b", public: false, previewToken: "t" },
];

async function reopened(changes: Partial<SandboxRuntime> = {}) {
  const runtime = { ...loopbackRuntime(1), ...changes };
  const sandboxes = new Sandboxes(directory, runtime);
  await sandboxes.restore(initial);
  return sandboxes;
}

it("keeps sandboxes and their tokens over a restart", async () => {
  const first = await reopened();
  const made = await first.create({ name: "c", env: { X: "y" } });
  const again = await reopened();
  expect(again.list().map(({ id }) => id)).toEqual(["a", "b", made.id]);
  expect(again.find("c")).toEqual({
    ...made,
    updatedAt: expect.any(String) as string,
  });
  expect(again.find("b")?.previewToken).toBe("t");
});

it("does not bring a removed first sandbox back", async () => {
  const first = await reopened();
  const record = first.find("a");
  if (record) await first.destroy(record);
  expect((await reopened()).list().map(({ id }) => id)).toEqual(["b"]);
});

it("finishes what a killed server began", async () => {
  const first = await reopened();
  first.runtime.start = never;
  void first.create({ name: "half" });
  const doomed = first.find("a");
  first.runtime.destroy = never;
  if (doomed) void first.destroy(doomed);

  const destroy = vi.fn(() => Promise.resolve());
  const start = vi.fn(() => Promise.resolve());
  const again = await reopened({ destroy, start });
  expect(again.find("half")?.state).toBe("started");
  expect(again.find("a")).toBeUndefined();
  expect(destroy).toHaveBeenCalledOnce();
  expect(readdirSync(directory)).not.toContain("a.json");
});

it("leaves a stopped sandbox stopped", async () => {
  const first = await reopened();
  const record = first.find("a");
  if (record) await first.stop(record);
  const start = vi.fn(() => Promise.resolve());
  const again = await reopened({ start });
  expect(again.find("a")?.state).toBe("stopped");
  expect(start).toHaveBeenCalledOnce();
});

it("changes one thing at a time", async () => {
  const sandboxes = await reopened();
  const record = sandboxes.find("a");
  if (!record) throw new Error("no sandbox a");
  const stopping = sandboxes.stop(record);
  await expect(sandboxes.destroy(record)).rejects.toThrow(SandboxConflict);
  await stopping;
});

it("gives the first free address, as Docker does", () => {
  expect(freeNumber(new Set())).toBe(2);
  expect(freeNumber(new Set([2, 3, 5]))).toBe(4);
  const lower = Array.from({ length: 255 }, (_, index) => index);
  expect(freeNumber(new Set(lower))).toBe(257);
  expect(addressesOf(257)).toEqual({
    address: "172.20.1.1",
    address6: "2001:db8:20::101",
  });
});
