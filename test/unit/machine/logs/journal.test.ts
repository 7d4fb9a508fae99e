/** Rows out of what journalctl prints. */
import { expect, test } from "vitest";
import {
  cursorPattern,
  rowOf,
} from "../../../../infra/machine/logs/journal.ts";

const cursor =
  "s=74b11a0485ff4262994d31a715b377d8;i=e1;b=e1f40483036f4ec786d7ee25706fd05d;m=c1cbd2032;t=661256c86a4f5;x=69a56b7240962bc8";
const line = (fields: object) =>
  JSON.stringify({
    __CURSOR: cursor,
    __REALTIME_TIMESTAMP: "1795663222711541",
    __MONOTONIC_TIMESTAMP: "52021764146",
    _SYSTEMD_UNIT: "daytona-edge.service",
    ...fields,
  });
const said = (fields: object): unknown =>
  JSON.parse(rowOf(line(fields))?.message ?? "null");

test("what is JSON stays as it is, and says whose it is", () => {
  expect(rowOf(line({ MESSAGE: '{"status": 200, "path": "/"}' }))).toEqual({
    cursor,
    timestamp: 1_795_663_222_711,
    message: '{"status":200,"path":"/","unit":"daytona-edge"}',
  });
});

test("no row can say that it is another's", () => {
  expect(
    said({ MESSAGE: '{"unit": "daytona-logs", "kind": "alive"}' }),
  ).toEqual({ kind: "alive", unit: "daytona-edge" });
});

test.each([["ready"], ["[1]"], ["12"], ["null"], ['{"cut'], [""]])(
  "what is no object is a text: %j",
  (MESSAGE) => {
    expect(said({ MESSAGE })).toEqual({
      message: MESSAGE,
      unit: "daytona-edge",
    });
  },
);

test("what systemd says about a unit is the unit's", () => {
  expect(
    said({
      MESSAGE: "Started",
      UNIT: "daytona-edge-agent.service",
      _SYSTEMD_UNIT: "init.scope",
    }),
  ).toEqual({ message: "Started", unit: "daytona-edge-agent" });
});

test("bytes that are no text become one; a text that is none, or two, is empty", () => {
  expect(said({ MESSAGE: [...Buffer.from("\u001b[31mü"), 0xff] })).toEqual({
    message: "\u001b[31mü\uFFFD",
    unit: "daytona-edge",
  });
  for (const MESSAGE of [null, undefined, ["one", "two"]]) {
    expect(said({ MESSAGE })).toEqual({ message: "", unit: "daytona-edge" });
  }
});

test("a text beyond all measure is cut: as JSON it is less than an event may be", () => {
  const { message = "" } = rowOf(line({ MESSAGE: "\u0001".repeat(1e6) })) ?? {};
  expect(Buffer.byteLength(message)).toBeLessThan(1_000_000);
  expect(JSON.parse(message)).toMatchObject({ unit: "daytona-edge" });
});

test.each([[""], ["-- No entries --"], ["{}"], ['{"__CURSOR":"s=1"}']])(
  "what is no entry is no row: %j",
  (text) => {
    expect(rowOf(text)).toBeUndefined();
  },
);

test("a cursor is one of journalctl's, or none", () => {
  expect(cursorPattern.test(cursor)).toBe(true);
  for (const other of ["", "\0\0\0", `${cursor}\n--boot`, "s=1"]) {
    expect(cursorPattern.test(other)).toBe(false);
  }
});
