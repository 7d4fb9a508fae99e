import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  errorCodeMap,
  errorCodes,
  errorPageMap,
  errorTextMap,
} from "../../../infra/edge/error-bodies.ts";

const body = readFileSync(
  join(import.meta.dirname, "../../../infra/edge/errors/body.lf"),
  "utf8",
);

/** What haproxy.cfg calls the format of what is no page. */
const json = "";

/** What HAProxy makes of body.lf, with its way to read maps. */
function render(
  status: number,
  error: string,
  format: string,
  access = "signed" as const,
) {
  const rows = (errorPageMap() + errorTextMap(access))
    .split("\n")
    .map((line) => /^(\S+) +(.*)$/.exec(line))
    .filter((row) => row !== null)
    .map(([, key = "", value = ""]) => [key, value] as const);
  const maps = new Map(rows);
  return body.replaceAll(/%\[([^\]]*)\]/g, (_, expression: string) => {
    const piece = /^str\((\d)\.\)/.exec(expression)?.[1];
    if (piece !== undefined) return maps.get(`${piece}.${format}`) ?? "";
    const slot = /^txn\.status.*,\.(\d)\)/.exec(expression)?.[1];
    if (slot !== undefined) {
      return maps.get(`${String(status)}.${error}.${format}.${slot}`) ?? "";
    }
    if (expression === "unique-id") return "the-request";
    return format === "html" ? expression.replaceAll(/[^a-z]/g, "") : "";
  });
}

describe("every error of the contract", () => {
  const codes = errorCodeMap().split("\n");

  test.each(Object.entries(errorCodes))("%s as JSON", (code, status) => {
    const { error } = JSON.parse(render(status, code, json)) as {
      error: Record<string, string>;
    };
    expect(error).toEqual({
      code,
      message: expect.stringMatching(/.{20,}/) as string,
      requestId: "the-request",
    });
  });

  test.each(Object.entries(errorCodes))("%s as a page", (code, status) => {
    const page = render(status, code, "html");
    expect(page).toMatch(/^<!doctype html><html lang="en">/);
    expect(page).toContain(`<code>${code}</code>`);
    expect(page).toContain("<code>the-request</code>");
    expect(page).toMatch(/<title>[^<]+<\/title>/);
    expect(page).toMatch(/<h1>[^<]+<\/h1>\s*<p>[^<]+<\/p>\s*<p>[^<]+<\/p>/);
    expect(page).not.toContain("{{");
  });

  test.each([
    [400, "bad_request"],
    [404, "unknown_host"],
    [429, "rate_limited"],
    [500, "internal_error"],
    [501, "protocol_unsupported"],
    [502, "sandbox_bad_answer"],
    [503, "sandbox_unreachable"],
    [504, "sandbox_timeout"],
  ])("%i that no rule names is %s", (status, code) => {
    expect(render(status, "", json)).toContain(`"code":"${code}"`);
    expect(codes).toContain(`${String(status)}. ${code}`);
  });

  test("is named in its field", () => {
    for (const [code, status] of Object.entries(errorCodes)) {
      expect(codes).toContain(`${String(status)}.${code} ${code}`);
    }
    // A status with several codes means none of them by itself.
    expect(codes.filter((row) => /^40[13]\. /.test(row))).toEqual([]);
  });
});

test("a page loads nothing from anywhere", () => {
  expect(render(403, "port_denied", "html")).not.toMatch(
    /https?:|src=|href=|url\(|@import|<script/,
  );
});

test("no piece begins or ends with a blank that HAProxy would drop", () => {
  for (const line of (errorPageMap() + errorTextMap("daytona")).split("\n")) {
    const [, value = "x"] = /^\S+ (.*)$/.exec(line) ?? [];
    expect(value).toBe(value.trim());
  }
});

test("what is missing depends on who decides", () => {
  expect(errorTextMap("signed")).not.toContain("X-Daytona-Preview-Token");
  expect(errorTextMap("daytona")).toContain("X-Daytona-Preview-Token");
});
