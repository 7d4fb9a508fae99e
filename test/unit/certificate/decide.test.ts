import { describe, expect, test } from "vitest";
import {
  type WantedCertificate,
  decide,
} from "../../../infra/certificate/decide.ts";
import type { HeldCertificate } from "../../../infra/certificate/held-certificate.ts";

const wanted: WantedCertificate = {
  names: ["*.sandbox.example.net", "sandbox.example.net"],
  directory: "https://acme.example.net/directory",
  profile: "tlsserver",
  keyType: "ecdsa-p256",
};

/** Lives for 90 days. */
const held: HeldCertificate = {
  ...wanted,
  names: [...wanted.names],
  profile: "tlsserver",
  version: "1",
  chain: "",
  key: "",
  serial: "0A",
  notBefore: "2026-01-01T00:00:00.000Z",
  notAfter: "2026-04-01T00:00:00.000Z",
  issuedAt: "2026-01-01T00:00:00.000Z",
};

const at = (text: string) => new Date(`${text}T00:00:00.000Z`);
const window = (start: string, end: string) => ({
  start: at(start),
  end: at(end),
});

test("gets a certificate when there is none", () => {
  expect(decide(undefined, undefined, at("2026-01-02"), wanted)).toEqual({
    action: "renew",
    because: "there is none yet",
  });
});

describe("without the authority's wish", () => {
  test("waits while the next run comes before two thirds of the life are over", () => {
    expect(decide(held, undefined, at("2026-02-28"), wanted)).toEqual({
      action: "wait",
      until: at("2026-03-02"),
    });
  });

  test("then renews", () => {
    expect(decide(held, undefined, at("2026-03-01"), wanted)).toEqual({
      action: "renew",
      because: "two thirds of its life are over before the next run",
    });
  });

  test("renews at half of a life of days, for a third of it is too soon gone", () => {
    const short = { ...held, notAfter: "2026-01-07T00:00:00.000Z" };
    expect(decide(short, undefined, at("2026-01-02"), wanted)).toEqual({
      action: "wait",
      until: at("2026-01-04"),
    });
    expect(decide(short, undefined, at("2026-01-03"), wanted)).toEqual({
      action: "renew",
      because: "half of its life are over before the next run",
    });
  });
});

describe("with the authority's window", () => {
  test("waits for a moment inside it, the same at every run", () => {
    const later = window("2026-03-05", "2026-03-07");
    const first = decide(held, later, at("2026-03-03"), wanted);
    expect(decide(held, later, at("2026-03-04"), wanted)).toEqual(first);
    if (first.action !== "wait") throw new Error("it should wait");
    expect(first.until >= later.start && first.until < later.end).toBe(true);
  });

  test("spreads certificates over it", () => {
    const moments = Array.from({ length: 20 }, (_, index) => {
      const decision = decide(
        { ...held, serial: index.toString(16) },
        window("2026-03-05", "2026-03-07"),
        at("2026-01-02"),
        wanted,
      );
      return decision.action === "wait" && decision.until.getTime();
    });
    expect(new Set(moments).size).toBe(20);
  });

  test("renews a young certificate when it is over, and says why", () => {
    const early = {
      ...window("2026-01-03", "2026-01-04"),
      explanation: "https://acme.example.net/incident",
    };
    expect(decide(held, early, at("2026-01-05"), wanted)).toEqual({
      action: "renew",
      because:
        "the authority asks for it between 2026-01-03T00:00:00.000Z and 2026-01-04T00:00:00.000Z (https://acme.example.net/incident)",
    });
  });

  test("renews before it when the next run would come after it", () => {
    const narrow = {
      start: new Date("2026-03-05T06:00:00.000Z"),
      end: new Date("2026-03-05T18:00:00.000Z"),
    };
    expect(decide(held, narrow, at("2026-03-04"), wanted)).toMatchObject({
      action: "wait",
    });
    expect(decide(held, narrow, at("2026-03-05"), wanted)).toMatchObject({
      action: "renew",
    });
  });

  test("is not led beyond five sixths of the life", () => {
    const late = window("2026-03-30", "2026-03-31");
    expect(decide(held, late, at("2026-03-15"), wanted)).toEqual({
      action: "wait",
      until: at("2026-03-17"),
    });
    expect(decide(held, late, at("2026-03-16"), wanted)).toEqual({
      action: "renew",
      because:
        "five sixths of its life are over before the next run, and the authority's window is later",
    });
  });
});

describe("a change of configuration renews", () => {
  test.each([
    [
      { names: ["*.sandbox.example.net"] },
      "the names changed from *.sandbox.example.net, sandbox.example.net to *.sandbox.example.net",
    ],
    [
      { directory: "https://other.example.net/directory" },
      "the directory changed from https://acme.example.net/directory to https://other.example.net/directory",
    ],
    [{ profile: undefined }, "the profile changed from tlsserver to none"],
    [
      { keyType: "rsa-2048" as const },
      "the key type changed from ecdsa-p256 to rsa-2048",
    ],
  ])("%o", (change, because) => {
    const changed = { ...wanted, ...change };
    expect(decide(held, undefined, at("2026-01-02"), changed)).toEqual({
      action: "renew",
      because,
    });
  });

  test("but another order of the names does not", () => {
    const reordered = { ...wanted, names: [...wanted.names].reverse() };
    expect(decide(held, undefined, at("2026-01-02"), reordered)).toMatchObject({
      action: "wait",
    });
  });
});
