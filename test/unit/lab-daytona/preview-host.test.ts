import { describe, expect, it } from "vitest";
import { parsePreviewHost } from "../../../scripts/lab/daytona/server/preview-host.ts";

const id = "83792513-cd9e-428f-99c0-63c63bc7739c";

describe("parsePreviewHost", () => {
  it.each([
    [`3000-${id}.x.net`, "3000", id, "x.net"],
    [`3000-${id}.x.net:4000`, "3000", id, "x.net:4000"],
    ["3000-0123456789abcdef.x.net", "3000", "0123456789abcdef", "x.net"],
    // The holes of daytonaio/daytona#5147 and beyond: no range, no one spelling.
    [`02280-${id}.x.net`, "02280", id, "x.net"],
    [`+2280-${id}.x.net`, "+2280", id, "x.net"],
    [`0-${id}.x.net`, "0", id, "x.net"],
    [`65536-${id}.x.net`, "65536", id, "x.net"],
    ["9223372036854775807-a.x", "9223372036854775807", "a", "x"],
    // The reverse order, of an id that begins with eight decimal digits.
    [
      `${id}-3000.x.net`,
      "83792513",
      "cd9e-428f-99c0-63c63bc7739c-3000",
      "x.net",
    ],
  ])("takes %s apart", (host, port, target, baseHost) => {
    expect(parsePreviewHost(host)).toEqual({ port, target, baseHost });
  });

  it.each([
    "x.net",
    "localhost:4000",
    `3000-${id}`,
    `-${id}.x.net`,
    `3000x-${id}.x.net`,
    `-3000-${id}.x.net`,
    `3_000-${id}.x.net`,
    `0x10-${id}.x.net`,
    `++1-${id}.x.net`,
    "9223372036854775808-a.x",
    "5f0c1a52-7d3b-4c1e-9a44-2b6a1e0d9c31-3000.x.net",
    "3000-.x.net",
    "",
  ])("takes %j for the base host", (host) => {
    expect(parsePreviewHost(host)).toBeUndefined();
  });
});
