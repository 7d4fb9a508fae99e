import { expect, test } from "vitest";
import {
  isRoutingClosed,
  sandboxInterfaces,
} from "../../../infra/gateway/firewall.ts";

const bridge = "20:\tfrom all fwmark 0/0x1000000 iif br-sandbox prohibit\n";
/** As ip shows it while there is no such interface. */
const detached =
  "20:\tfrom all fwmark 0/0x1000000 iif runner0 [detached] prohibit\n";

test.each([
  ["both", bridge + detached, true],
  ["one alone", bridge, false],
  ["none", "", false],
  ["another", bridge + detached.replace("runner0", "runner01"), false],
  [
    "one that lets through",
    bridge + detached.replace("prohibit", "lookup main"),
    false,
  ],
])("each interface has its routing rule: %s", (_, shown, closed) => {
  expect(isRoutingClosed(shown, ["br-sandbox", "runner0"])).toBe(closed);
});

test("interfaces that are named are those; else the networks tell", async () => {
  expect(
    await sandboxInterfaces("{ br-a, runner0 }", "{ 127.0.0.0/8 }"),
  ).toEqual(["br-a", "runner0"]);
  expect(await sandboxInterfaces("{  }", "{ 127.0.0.0/8 }")).toEqual([]);
  expect(await sandboxInterfaces("auto", "{ 127.0.0.0/8 }")).toEqual(["lo"]);
  expect(await sandboxInterfaces("auto", "{ 240.0.0.0/8, 0.0.0.0/8 }")).toEqual(
    [],
  );
});
