import { describe, expect, test } from "vitest";
import {
  holdCertificate,
  keyTypes,
} from "../../../infra/certificate/held-certificate.ts";
import {
  certificateRow,
  limitRow,
  renewalRow,
} from "../../../scripts/doctor/certificate.ts";
import { daytonaProxyRow } from "../../../scripts/doctor/daytona-proxy.ts";
import {
  addressRows,
  authorizationRow,
  serversRow,
} from "../../../scripts/doctor/names.ts";
import { lookAt } from "../../../scripts/doctor/row.ts";
import { createAuthority } from "../certificate/authority.ts";

const now = new Date("2026-12-10T00:00:00Z");
const report = {
  ranAt: "2026-12-09T22:00:00.000Z",
  succeededAt: "2026-12-09T22:00:00.000Z",
  issuedAt: [],
};

describe("name servers that do not answer", () => {
  // Nothing listens there.
  const silent = [{ name: "ns1.example.net", addresses: ["127.0.0.99"] }];

  test("are a row of their own", async () => {
    const row = await serversRow({ name: "example.net", servers: silent });
    expect(row.state).toBe("bad");
    expect(row.found).toMatch(/^ns1\.example\.net \(127\.0\.0\.99\) does not/);
  });

  test("prove nothing about the records", async () => {
    const edge = { ipv4: ["192.0.2.1"], ipv6: ["2001:db8::1"] };
    const words = /^nobody says what \w+ records/;
    await expect(addressRows(silent, "example.net", edge)).rejects.toThrow(
      words,
    );
    await expect(
      authorizationRow(
        silent,
        "example.net",
        "example.org",
        "https://a.invalid",
      ),
    ).rejects.toThrow(words);
  });
});

test("what cannot be looked at is bad, in the words of why", async () => {
  const rows = await lookAt("it", () => Promise.reject(new Error("no")), "do");
  expect(rows).toEqual([{ what: "it", state: "bad", found: "no", fix: "do" }]);
});

describe("Daytona's proxy", () => {
  const row = (said: string) =>
    daytonaProxyRow("http://10.0.0.2:3000", "203.0.113.10", said);

  test("says its version", () => {
    expect(row('{"status":"ok","version":"v0.190.0"}')).toMatchObject({
      state: "good",
      found: "Daytona v0.190.0",
    });
  });

  test.each([
    ["<!doctype html><title>Daytona</title>", "a dashboard"],
    ['{"status":"ok"}', "Daytona's API"],
    ["", "nothing"],
  ])("is not what answers %j: %s", (said) => {
    expect(row(said)).toMatchObject({
      state: "bad",
      found: `answers, but not as Daytona's proxy: ${said}`,
      fix: expect.stringContaining("set upstream.url") as string,
    });
  });
});

test("a proxy of Daytona's that is not reached, and how to find out why", () => {
  const said = "curl: (7) Failed to connect to 10.0.0.2 port 4000\n";
  expect(
    daytonaProxyRow("http://10.0.0.2:4000", "203.0.113.10", said),
  ).toMatchObject({
    state: "bad",
    found:
      "from 203.0.113.10, curl: (7) Failed to connect to 10.0.0.2 port 4000",
    fix: expect.stringContaining("docker compose ps proxy") as string,
  });
});

describe("the renewal", () => {
  test.each([
    ["never reported", undefined, "bad", "no run has ever reported"],
    ["damaged", { problem: "no JSON" }, "bad", "the report cannot be read"],
    ["well", { value: report }, "good", "the last run was 2 hours ago"],
    [
      "failed since",
      { value: { ...report, error: "rate limited" } },
      "bad",
      "the last run, 2 hours ago, and well for the last time 2 hours ago: rate limited",
    ],
    [
      "silent",
      { value: { ...report, ranAt: "2026-12-08T00:00:00.000Z" } },
      "bad",
      "no run for 2 days",
    ],
  ] as const)("%s", (_, read, state, found) => {
    const row = renewalRow(read, now);
    expect(row.state).toBe(state);
    expect(row.found).toContain(found);
  });
});

test("no certificate, and one that cannot be read", () => {
  expect(certificateRow(undefined, [], now).state).toBe("bad");
  expect(certificateRow({ problem: "no JSON" }, [], now)).toMatchObject({
    state: "bad",
    found: "the store's cannot be read: no JSON",
  });
});

test.each([
  ["acme-v02.api.letsencrypt.org", "good"],
  ["dv.acme-v02.api.pki.goog", "good"],
  ["pebble.example.net", "good"],
  ["acme-staging-v02.api.letsencrypt.org", "warning"],
  ["dv.acme-v02.test-api.pki.goog", "warning"],
  ["api.test4.buypass.no", "warning"],
])("a certificate from %s is %s", async (host, state) => {
  const names = ["*.example.net", "example.net"];
  const authority = await createAuthority();
  const today = new Date();
  const held = holdCertificate({
    ...(await authority.leaf({ names })),
    ...{ directory: `https://${host}/directory`, account: "https://a.invalid" },
    ...{ keyType: keyTypes[0], issuedAt: today },
  });
  const row = certificateRow({ value: held }, names, today);
  expect(row.state).toBe(state);
  expect(row.found.includes("answer 526")).toBe(state === "warning");
});

test("orders of more than a week ago do not count", () => {
  const issuedAt = Array.from({ length: 9 }, () => "2026-12-01T00:00:00.000Z");
  const read = { value: { ...report, issuedAt } };
  expect(limitRow(read, "https://acme.example.org/", now).state).toBe("good");
});
