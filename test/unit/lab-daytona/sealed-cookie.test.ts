import { afterEach, expect, it, vi } from "vitest";
import {
  openCookie,
  sealCookie,
} from "../../../scripts/lab/daytona/server/sealed-cookie.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("opens what it sealed, under the same key and name only", () => {
  const sealed = sealCookie("key", "name", "value");
  expect(openCookie("key", "name", sealed)).toBe("value");
  expect(openCookie("other", "name", sealed)).toBeUndefined();
  expect(openCookie("key", "other", sealed)).toBeUndefined();
});

it("refuses what somebody else made", () => {
  const sealed = Buffer.from(sealCookie("key", "name", "value"), "base64url");
  const changed = sealed.toString().replace("value", "VALUE");
  const forged = Buffer.from(changed).toString("base64url");
  expect(openCookie("key", "name", forged)).toBeUndefined();
  expect(openCookie("key", "name", "")).toBeUndefined();
  expect(openCookie("key", "name", "%%%")).toBeUndefined();
});

it("is good for an hour", () => {
  vi.useFakeTimers();
  const sealed = sealCookie("key", "name", "value");
  vi.advanceTimersByTime(3_600_000);
  expect(openCookie("key", "name", sealed)).toBe("value");
  vi.advanceTimersByTime(1_000);
  expect(openCookie("key", "name", sealed)).toBeUndefined();
});
