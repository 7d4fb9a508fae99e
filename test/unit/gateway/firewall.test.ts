import { expect, test } from "vitest";
import { isRoutingClosed } from "../../../infra/gateway/firewall.ts";

const bridge =
  "10:\tfrom all fwmark 0/0x3000000 iif br-sandbox blackhole proto kernel\n";
/** As ip shows it while there is no such interface. */
const detached =
  "10:\tfrom all fwmark 0/0x3000000 iif runner0 [detached] blackhole proto kernel\n";

test.each([
  ["both", bridge + detached, true],
  ["one alone", bridge, false],
  ["none", "", false],
  ["another", bridge + detached.replace("runner0", "runner01"), false],
  [
    "one that lets through",
    bridge + detached.replace("blackhole", "lookup main"),
    false,
  ],
  [
    "after the machine's own addresses",
    `0:\tfrom all lookup local\n${bridge}${detached}`,
    false,
  ],
])("each interface has its routing rule: %s", (_, shown, closed) => {
  expect(isRoutingClosed(shown, ["br-sandbox", "runner0"])).toBe(closed);
});
