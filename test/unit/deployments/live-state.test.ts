/** What operators' commands may write, and what an agent would refuse. */
import { expect, test, vi } from "vitest";
import { noRevocations } from "../../../infra/edge/revocations.ts";
import { checkedStore } from "../../../scripts/deployments/live-state.ts";

const write = vi.fn<() => Promise<void>>(() => Promise.resolve());
const store = checkedStore({
  write,
  read: () => Promise.resolve(undefined),
  lock: (work) => work(),
});

test("what an agent takes is written", async () => {
  await store.write("revocations.json", noRevocations);
  expect(write).toHaveBeenCalledExactlyOnceWith(
    "revocations.json",
    noRevocations,
  );
  write.mockClear();
});

test.each([
  [
    "revocations.json",
    '{"revocations":[{"sandbox":"x","notBefore":1}]}',
    '"x" is not the id of a sandbox',
  ],
  ["access.json", '{"keys":[]}', "it has no keys"],
  [
    "egress-credentials.json",
    '{"version":1,"credentials":{"a":"short"}}',
    "credentials.a",
  ],
  ["certificate.json", "{}", "is not written by hand"],
])("%s that an agent would refuse is not: %s", async (name, content, why) => {
  await expect(store.write(name, content)).rejects.toThrow(why);
  expect(write).not.toHaveBeenCalled();
});
