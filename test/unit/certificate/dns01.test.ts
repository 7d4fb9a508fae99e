import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { dns01 } from "../../../infra/certificate/dns01.ts";

const digest = (text: string) =>
  createHash("sha256").update(text).digest("base64url");

/** A zone in memory, and what happened to it. */
function zone(options: { refuse?: boolean; alias?: string } = {}) {
  const records = new Map<string, readonly string[]>();
  const log = vi.fn<(line: string) => void>();
  const visible = vi.fn(() => Promise.resolve());
  const set = (name: string, values: readonly string[]) => {
    if (options.refuse && values.length === 0) {
      return Promise.reject(new Error("no"));
    }
    records.set(name, values);
    return Promise.resolve();
  };
  return {
    challenge: dns01({
      records: { set },
      alias: options.alias,
      visible,
      log,
    }),
    records,
    visible,
    log,
  };
}

const name = "_acme-challenge.example.net";
const tasks = [
  { domain: "example.net", keyAuthorization: "wildcard" },
  { domain: "example.net", keyAuthorization: "base" },
];

test("a wildcard and its base name have two values at one name", async () => {
  const { challenge, records, visible } = zone();
  const values = [digest("wildcard"), digest("base")];
  const seen = await challenge.during(tasks, () =>
    Promise.resolve(records.get(name)),
  );
  expect(seen).toEqual(values);
  expect(visible).toHaveBeenCalledWith(name, values);
  expect(records.get(name)).toEqual([]);
});

test("the records go when the work fails, or they are never seen", async () => {
  const failed = zone();
  await expect(
    failed.challenge.during(tasks, () => Promise.reject(new Error("work"))),
  ).rejects.toThrow("work");
  expect(failed.records.get(name)).toEqual([]);

  const unseen = zone();
  unseen.visible.mockRejectedValue(new Error("unseen"));
  await expect(
    unseen.challenge.during(tasks, () => Promise.resolve()),
  ).rejects.toThrow("unseen");
  expect(unseen.records.get(name)).toEqual([]);
});

test("records that do not go are told of, and hide nothing", async () => {
  const { challenge, log } = zone({ refuse: true });
  expect(await challenge.during(tasks, () => Promise.resolve("done"))).toBe(
    "done",
  );
  expect(log).toHaveBeenCalledWith(
    "could not take the challenge records away: Error: no",
  );
});

test("with an alias nothing is written anywhere else", async () => {
  const alias = "edge.challenges.example.org";
  const { challenge, records, visible } = zone({ alias });
  await challenge.sweep(["example.net"]);
  await challenge.during(tasks, () => Promise.resolve());
  expect([...records.keys()]).toEqual([alias]);
  expect(visible).toHaveBeenCalledWith(alias, [
    digest("wildcard"),
    digest("base"),
  ]);
});
