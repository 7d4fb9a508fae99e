import { expect, test } from "vitest";
import { repairOf } from "../../../infra/platforms/host/look.ts";
import { parseLook } from "../../../infra/platforms/host/pieces.ts";

const look = parseLook(
  [
    "= edge 1f2e3d4c",
    "! file /etc/daytona-edge/edge/haproxy.cfg: other content",
    "! unit daytona-edge.service: inactive instead of active",
    "= server ",
    "= store/access.json 5a6b",
    "",
  ].join("\n"),
);

test("what a server says, by bundle and document", () => {
  expect(look).toEqual({
    edge: {
      repair: "1f2e3d4c",
      changes: [
        "file /etc/daytona-edge/edge/haproxy.cfg: other content",
        "unit daytona-edge.service: inactive instead of active",
      ],
    },
    server: { repair: "", changes: [] },
    "store/access.json": { repair: "5a6b", changes: [] },
  });
});

test("what is as it was installed keeps its word", () => {
  expect(repairOf(look, "server")).toBe("");
  expect(repairOf(look, "store/access.json")).toBe("5a6b");
});

test("what was changed has another word, the same for preview and update", () => {
  const repair = repairOf(look, "edge");
  expect(repair).toMatch(/^[0-9a-f]{16}$/);
  expect(repairOf(look, "edge")).toBe(repair);
  // The same change once more, after that repair.
  const again = {
    edge: { repair, changes: look.edge?.changes ?? [] },
  };
  expect(repairOf(again, "edge")).not.toBe(repair);
});

test("what is not there has a word that none had before", () => {
  expect(repairOf(look, "gateway")).not.toBe(repairOf(look, "gateway"));
});
