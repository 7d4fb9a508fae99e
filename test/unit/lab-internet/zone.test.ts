import type { SoaAnswer } from "dns-packet";
import { describe, expect, it } from "vitest";
import { openReply } from "../../../scripts/lab/internet/dns/open-resolver.ts";
import { authoritativeReply } from "../../../scripts/lab/internet/dns/reply.ts";
import {
  type ResourceRecord,
  Zone,
} from "../../../scripts/lab/internet/dns/zone.ts";

const soa = (name: string): SoaAnswer => ({
  type: "SOA",
  name,
  ttl: 300,
  data: { mname: "ns.test", rname: "admin.test", serial: 1, minimum: 60 },
});
const a = (name: string, data = "192.0.2.1"): ResourceRecord => ({
  type: "A",
  name,
  ttl: 60,
  data,
});
const cname = (name: string, data: string): ResourceRecord => ({
  type: "CNAME",
  name,
  ttl: 60,
  data,
});
const ns = (name: string, data: string): ResourceRecord => ({
  type: "NS",
  name,
  ttl: 60,
  data,
});
const txt = (name: string, data: string): ResourceRecord => ({
  type: "TXT",
  name,
  ttl: 60,
  data,
});
const srv = (name: string): ResourceRecord => ({
  type: "SRV",
  name,
  ttl: 60,
  data: { port: 22, target: "host1.example" },
});

/** The zone of RFC 4592, 2.2.1. */
const example = new Zone(soa("example"), [
  ns("example", "ns.example.com"),
  ns("example", "ns.example.net"),
  txt("*.example", "this is a wildcard"),
  {
    type: "MX",
    name: "*.example",
    ttl: 60,
    data: { preference: 10, exchange: "host1.example" },
  },
  txt("sub.*.example", "this is not a wildcard"),
  a("host1.example"),
  srv("_ssh._tcp.host1.example"),
  srv("_ssh._tcp.host2.example"),
  ns("subdel.example", "ns.example.com"),
  ns("subdel.example", "ns.example.net"),
]);

describe("the examples of RFC 4592, 2.2.1", () => {
  it.each([
    ["host3.example", "MX", "answer"],
    ["host3.example", "A", "nodata"],
    ["foo.bar.example", "TXT", "answer"],
    ["host1.example", "MX", "nodata"],
    ["sub.*.example", "MX", "nodata"],
    ["_telnet._tcp.host1.example", "SRV", "nxdomain"],
    ["host.subdel.example", "A", "referral"],
    ["ghost.*.example", "MX", "nxdomain"],
    // 2.2.2: on the way to a name, without records of its own.
    ["_tcp.host2.example", "TXT", "nodata"],
    ["host2.example", "TXT", "nodata"],
    ["*.example", "TXT", "answer"],
  ])("%s %s: %s", (name, type, kind) => {
    expect(example.lookup(name, type).kind).toBe(kind);
  });

  it("answers with the name that was asked for", () => {
    const finding = example.lookup("foo.bar.example", "TXT");
    expect(finding).toMatchObject({
      records: [{ name: "foo.bar.example", data: "this is a wildcard" }],
    });
  });
});

describe("a server of zones", () => {
  const root = new Zone(soa(""), [
    ns("", "a.root"),
    a("a.root", "192.0.2.53"),
    ns("inner.test", "ns.inner.test"),
    ns("elsewhere.test", "ns.elsewhere.test"),
    a("ns.elsewhere.test", "192.0.2.54"),
    a("outside.test", "192.0.2.9"),
  ]);
  const inner = new Zone(soa("inner.test"), [
    a("host.inner.test"),
    cname("alias.inner.test", "Host.Inner.Test."),
    cname("far.inner.test", "outside.test"),
    cname("dead.inner.test", "nowhere.inner.test"),
    cname("one.inner.test", "two.inner.test"),
    cname("two.inner.test", "one.inner.test"),
    cname("*.wild.inner.test", "host.inner.test"),
    txt("both.inner.test", "text"),
    cname("both.inner.test", "host.inner.test"),
  ]);
  const both = [root, inner];
  const ask = (name: string, type: string) =>
    authoritativeReply(both, name, type);
  const data = (records: readonly ResourceRecord[]) =>
    records.map((record) => record.data);

  it("follows an alias, in its zone and out of it", () => {
    expect(data(ask("alias.inner.test", "A").answers)).toEqual([
      "Host.Inner.Test.",
      "192.0.2.1",
    ]);
    expect(data(ask("far.inner.test", "A").answers)).toEqual([
      "outside.test",
      "192.0.2.9",
    ]);
    expect(ask("x.wild.inner.test", "A").answers[0]).toMatchObject({
      name: "x.wild.inner.test",
      type: "CNAME",
    });
  });

  it("stops at its zones when it has no others", () => {
    const { rcode, answers } = authoritativeReply(
      [inner],
      "far.inner.test",
      "A",
    );
    expect([rcode, answers.length]).toEqual([0, 1]);
  });

  it("denies the name that an alias leads to, and keeps the alias", () => {
    const { rcode, answers, authorities } = ask("dead.inner.test", "A");
    expect([rcode, answers.length]).toEqual([3, 1]);
    expect(authorities).toMatchObject([{ type: "SOA", name: "inner.test" }]);
  });

  it("does not follow a circle for ever", () => {
    expect(ask("one.inner.test", "A").answers).toHaveLength(8);
  });

  it("answers with the alias itself, and with what stands beside it", () => {
    expect(data(ask("alias.inner.test", "CNAME").answers)).toEqual([
      "Host.Inner.Test.",
    ]);
    expect(data(ask("both.inner.test", "TXT").answers)).toEqual(["text"]);
  });

  it("refers to others, with addresses of their servers", () => {
    expect(ask("www.elsewhere.test", "A")).toMatchObject({
      authoritative: false,
      answers: [],
      authorities: [{ type: "NS", data: "ns.elsewhere.test" }],
      additionals: [{ type: "A", data: "192.0.2.54" }],
    });
  });

  it("keeps a denial no longer than the SOA says", () => {
    expect(ask("nope.inner.test", "A").authorities).toMatchObject([
      { type: "SOA", ttl: 60 },
    ]);
  });

  it("gives the root's servers with their addresses", () => {
    expect(ask("", "NS")).toMatchObject({
      authoritative: true,
      answers: [{ data: "a.root" }],
      additionals: [{ data: "192.0.2.53" }],
    });
  });

  it("refuses what it has no zone for", () => {
    expect(authoritativeReply([inner], "outside.test", "A").rcode).toBe(5);
    expect(authoritativeReply([inner], "xinner.test", "A").rcode).toBe(5);
  });

  it("answers a question for everything with little", () => {
    expect(ask("host.inner.test", "ANY").answers).toMatchObject([
      { type: "HINFO" },
    ]);
  });

  it("as an open resolver, denies nothing but names of the lab's zone", () => {
    const stray = { ipv4: "192.0.2.99", ipv6: "2001:db8::99", text: "stray" };
    const open = (name: string, type: string) =>
      openReply(both, stray, name, type);
    expect(data(open("alias.inner.test", "A").answers)).toContain("192.0.2.1");
    expect(data(open("nowhere.at.all", "A").answers)).toEqual(["192.0.2.99"]);
    expect(data(open("nowhere.at.all", "AAAA").answers)).toEqual([
      "2001:db8::99",
    ]);
    expect(open("nowhere.at.all", "MX")).toMatchObject({
      rcode: 0,
      answers: [],
    });
    expect(open("nope.inner.test", "A").rcode).toBe(3);
  });
});

it("refuses a record of another zone", () => {
  expect(() => new Zone(soa("inner.test"), [a("other.test")])).toThrow(
    "other.test is not in the zone inner.test",
  );
});
