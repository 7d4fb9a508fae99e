import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cloudflareApi } from "../../../scripts/lab/internet/cloudflare/api.ts";
import { FaultInjection } from "../../../scripts/lab/internet/cloudflare/faults.ts";
import type { DnsRecord } from "../../../scripts/lab/internet/cloudflare/record.ts";
import { RecordStore } from "../../../scripts/lab/internet/cloudflare/record-store.ts";
import { cloudflareZone } from "../../../scripts/lab/internet/cloudflare/zone.ts";
import { authoritativeReply } from "../../../scripts/lab/internet/dns/reply.ts";
import type { Zone } from "../../../scripts/lab/internet/dns/zone.ts";

const zoneId = "0123456789abcdef0123456789abcdef";
const unknownId = "f".repeat(32);
const nameServers = [
  { name: "ns1.test", ipv4: "192.0.2.1", ipv6: "2001:db8::1" },
];
const records = `/client/v4/zones/${zoneId}/dns_records`;

interface Answer {
  status: number;
  headers: Headers;
  success: boolean;
  errors: { code: number; message: string; error_chain?: { code: number }[] }[];
  result: never;
  result_info: Record<string, number>;
}

let directory: string;
let zone: Zone;
let faults: FaultInjection;
let app: Hono;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-cloudflare-"));
  start();
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function start(): void {
  faults = new FaultInjection();
  const served = (kept: readonly DnsRecord[]) =>
    cloudflareZone({
      name: "example.test",
      nameServers,
      serial: 1,
      records: kept,
      proxy: { ipv4: "192.0.2.30", ipv6: "2001:db8::30" },
    });
  const store = new RecordStore({
    zone: "example.test",
    file: join(directory, "records.json"),
    onChange: (kept) => {
      zone = served(kept);
    },
  });
  zone = served(store.list());
  app = cloudflareApi({
    token: "secret",
    zone: { id: zoneId, name: "example.test" },
    nameServers,
    records: store,
    faults,
    control: new Hono().get("/mark", (context) => context.text("control")),
  });
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await app.request(path, {
    method,
    headers: {
      authorization: "Bearer secret",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as object) : {};
  return {
    status: response.status,
    headers: response.headers,
    ...json,
  } as Answer;
}

const create = (record: object) =>
  call("POST", records, { ttl: 300, proxied: false, ...record });
const served = (name: string, type: string) =>
  authoritativeReply([zone], name, type).answers.map(({ data }) => data);

describe("authorization", () => {
  it.each([
    [undefined, 400, 9106],
    ["secret", 400, 6003],
    ["Basic c2VjcmV0", 400, 6003],
    ["Bearer wrong", 403, 9109],
    ["Bearer secre", 403, 9109],
  ])("%s: %s %s", async (authorization, status, code) => {
    const response = await app.request("/client/v4/zones", {
      headers: authorization === undefined ? {} : { authorization },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      success: false,
      errors: [{ code }],
      messages: [],
      result: null,
    });
  });

  it("speaks of the records' own service at its paths", async () => {
    const answer = await call("GET", records, undefined, {
      authorization: "Bearer wrong",
    });
    expect([answer.status, answer.errors[0]?.code]).toEqual([403, 10_000]);
  });

  it("guards the control endpoints too", async () => {
    expect((await app.request("/__lab/mark")).status).toBe(400);
    expect((await call("GET", "/__lab/mark")).status).toBe(200);
  });
});

describe("zones", () => {
  it.each([
    ["", 1],
    ["?name=example.test", 1],
    ["?name=EXAMPLE.test&status=active", 1],
    ["?name=other.test", 0],
    ["?status=pending", 0],
    ["?page=2", 0],
  ])("list %s: %s", async (query, count) => {
    const answer = await call("GET", `/client/v4/zones${query}`);
    expect(answer).toMatchObject({ success: true, result_info: { count } });
  });

  it("has one zone, with or without a last slash", async () => {
    for (const end of ["", "/"]) {
      const answer = await call("GET", `/client/v4/zones/${zoneId}${end}`);
      expect(answer.result).toMatchObject({
        id: zoneId,
        name: "example.test",
        status: "active",
        name_servers: ["ns1.test"],
      });
    }
  });

  it.each([
    ["/client/v4/zones/example.test", 400, 7003],
    [`/client/v4/zones/${unknownId}`, 403, 9109],
    [`/client/v4/zones/${unknownId}/dns_records`, 403, 10_000],
    ["/client/v4/zones/example.test/dns_records", 400, 7003],
    ["/client/v4/nothing", 400, 7003],
    [`${records}/not-an-id`, 400, 7003],
    [`${records}/${unknownId}`, 404, 81_044],
  ])("%s: %s %s", async (path, status, code) => {
    const answer = await call("GET", path);
    expect([answer.status, answer.errors[0]?.code]).toEqual([status, code]);
  });
});

describe("a record", () => {
  it("is answered as soon as it is there, and no more when it is gone", async () => {
    const { result } = await create({
      type: "A",
      name: "*.Sub.example.test.",
      content: "192.0.2.7",
    });
    expect(result).toMatchObject({
      name: "*.sub.example.test",
      type: "A",
      content: "192.0.2.7",
      ttl: 300,
      proxied: false,
      proxiable: true,
      comment: null,
      tags: [],
      meta: {},
      settings: {},
    });
    expect(served("any.sub.example.test", "A")).toEqual(["192.0.2.7"]);
    const { id } = result as { id: string };
    const gone = await call("DELETE", `${records}/${id}`);
    expect(gone).toMatchObject({ status: 200, result: { id } });
    expect(served("any.sub.example.test", "A")).toEqual([]);
    const again = await call("DELETE", `${records}/${id}`);
    expect(again).toMatchObject({ status: 404, errors: [{ code: 81_044 }] });
  });

  it("takes a CAA record in parts, and shows it as text too", async () => {
    const data = { flags: 0, tag: "issuewild", value: "ca.test; a=b" };
    const { result } = await create({ type: "CAA", name: "@", data });
    expect(result).toMatchObject({
      name: "example.test",
      content: '0 issuewild "ca.test; a=b"',
      data,
    });
    expect(served("example.test", "CAA")).toEqual([data]);
  });

  it("keeps the text of a TXT record as it was given", async () => {
    const content = '"quoted"';
    const { result } = await create({ type: "TXT", name: "t", content });
    expect(result).toMatchObject({ name: "t.example.test", content });
    expect(served("t.example.test", "TXT")).toEqual([[Buffer.from("quoted")]]);
  });

  it("leads to the proxy when it is proxied, for an automatic time", async () => {
    const { result } = await create({
      type: "A",
      name: "p",
      content: "192.0.2.7",
      proxied: true,
    });
    expect(result).toMatchObject({ ttl: 1, proxied: true });
    expect(served("p.example.test", "A")).toEqual(["192.0.2.30"]);
  });

  it.each<[string, object, number]>([
    ["no type", { name: "x", content: "192.0.2.1" }, 9207],
    ["no name", { type: "A", content: "192.0.2.1" }, 9207],
    ["an empty name", { type: "A", name: "", content: "192.0.2.1" }, 9000],
    ["a bad name", { type: "A", name: "a..b", content: "192.0.2.1" }, 9000],
    ["a star inside", { type: "A", name: "a.*.b", content: "1.1.1.1" }, 9000],
    ["no IPv4", { type: "A", name: "x", content: "192.0.2.256" }, 9005],
    ["no content", { type: "A", name: "x" }, 9005],
    ["no IPv6", { type: "AAAA", name: "x", content: "192.0.2.1" }, 9006],
    [
      "an alias of itself",
      { type: "CNAME", name: "x", content: "x.example.test" },
      9007,
    ],
    ["no data", { type: "CAA", name: "x", content: '0 issue "ca"' }, 9101],
    [
      "no value",
      { type: "CAA", name: "x", data: { flags: 0, tag: "issue" } },
      9101,
    ],
    ["open quotes", { type: "TXT", name: "x", content: '"open' }, 9207],
    [
      "too much text",
      { type: "TXT", name: "x", content: "y".repeat(5000) },
      9015,
    ],
    [
      "a proxied text",
      { type: "TXT", name: "x", content: "y", proxied: true },
      9004,
    ],
    [
      "a proxied home",
      { type: "A", name: "x", content: "10.0.0.1", proxied: true },
      9003,
    ],
    [
      "a short life",
      { type: "A", name: "x", content: "192.0.2.1", ttl: 30 },
      1004,
    ],
    [
      "a long life",
      { type: "A", name: "x", content: "192.0.2.1", ttl: 86_401 },
      1004,
    ],
  ])("with %s is refused", async (_, record, code) => {
    const answer = await create(record);
    expect([answer.status, answer.errors[0]?.code]).toEqual([400, code]);
    expect((await call("GET", records)).result_info.total_count).toBe(0);
  });

  it("is refused when it is no JSON, or does not say that it is", async () => {
    const broken = await call("POST", records, "{");
    expect(broken.errors).toMatchObject([
      { code: 9207, message: "Request body is invalid." },
    ]);
    const text = await call("POST", records, "{}", {
      "content-type": "text/plain",
    });
    expect(text.errors).toMatchObject([
      { code: 9207, message: "Content-type must be application/json." },
    ]);
  });

  const address = { type: "A", name: "x", content: "192.0.2.1" };
  const alias = { type: "CNAME", name: "x", content: "target.test" };
  const text = { type: "TXT", name: "x", content: "text" };
  const delegation = { type: "NS", name: "x", content: "ns.test" };
  it.each<[string, object, object, number | undefined]>([
    ["the same again", address, address, 81_058],
    ["the same text in quotes", text, { ...text, content: '"text"' }, 81_058],
    [
      "another address",
      address,
      { ...address, content: "192.0.2.2" },
      undefined,
    ],
    [
      "IPv6 too",
      address,
      { type: "AAAA", name: "x", content: "::1" },
      undefined,
    ],
    ["an alias beside an address", address, alias, 81_053],
    [
      "an alias beside an alias",
      alias,
      { ...alias, content: "b.test" },
      81_053,
    ],
    ["an address beside an alias", alias, address, 81_054],
    ["text beside an alias", alias, text, undefined],
    ["an address in a delegation", delegation, address, 81_056],
  ])("beside another: %s", async (_, first, second, code) => {
    expect((await create(first)).status).toBe(200);
    const answer = await create(second);
    expect(answer.errors[0]?.code).toBe(code);
  });

  it("is replaced by PUT, changed in part by PATCH, and keeps its id", async () => {
    const first = await create({ ...address, comment: "kept", tags: ["a"] });
    const { id, created_on } = first.result as DnsRecord;
    const patched = await call("PATCH", `${records}/${id}`, {
      content: "192.0.2.2",
    });
    expect(patched.result).toMatchObject({
      id,
      created_on,
      content: "192.0.2.2",
      comment: "kept",
      ttl: 300,
    });
    expect(served("x.example.test", "A")).toEqual(["192.0.2.2"]);
    const put = await call("PUT", `${records}/${id}`, { ...address, ttl: 60 });
    expect(put.result).toMatchObject({ id, comment: null, tags: [], ttl: 60 });
    const bad = await call("PATCH", `${records}/${id}`, { content: "no" });
    expect(bad.errors[0]?.code).toBe(9005);
    expect(served("x.example.test", "A")).toEqual(["192.0.2.1"]);
    const missing = await call("PUT", `${records}/${unknownId}`, address);
    expect(missing.errors[0]?.code).toBe(81_044);
  });

  it("is there after a restart", async () => {
    await create(address);
    start();
    expect(served("x.example.test", "A")).toEqual(["192.0.2.1"]);
    const kept = readFileSync(join(directory, "records.json"), "utf8");
    expect(JSON.parse(kept)).toHaveLength(1);
  });
});

describe("the list of records", () => {
  beforeEach(async () => {
    const ttl = 60;
    await create({
      type: "TXT",
      name: "b",
      content: "two",
      ttl,
      comment: "Ours",
    });
    await create({ type: "A", name: "a", content: "192.0.2.1" });
    await create({ type: "A", name: "c", content: "192.0.2.20" });
    await create({ type: "TXT", name: "b", content: "three", ttl: 120 });
  });
  const contents = async (query: string) => {
    const { result } = await call("GET", `${records}?${query}`);
    return (result as DnsRecord[]).map(({ content }) => content);
  };

  it.each([
    ["", ["two", "192.0.2.1", "192.0.2.20", "three"]],
    ["type=TXT", ["two", "three"]],
    ["name=b.example.test", ["two", "three"]],
    ["name.exact=B.example.test&content=three", ["three"]],
    ["name.contains=a.exam", ["192.0.2.1"]],
    ["content.startswith=192.0.2.2", ["192.0.2.20"]],
    ["content.endswith=.1", ["192.0.2.1"]],
    ["comment.exact=ours", ["two"]],
    ["comment.absent=true&type=TXT", ["three"]],
    ["comment.present=true", ["two"]],
    ["search=OURS", ["two"]],
    ["proxied=true", []],
    ["match=any&content=two&name=a.example.test", ["two", "192.0.2.1"]],
    ["order=content", ["192.0.2.1", "192.0.2.20", "three", "two"]],
    ["order=ttl&direction=desc&type=TXT", ["three", "two"]],
    ["per_page=3&page=2", ["three"]],
    ["per_page=3&page=3", []],
  ])("?%s", async (query, expected) => {
    expect(await contents(query)).toEqual(expected);
  });

  it("says where in the list a page is", async () => {
    const { result_info } = await call("GET", `${records}?per_page=3&page=2`);
    expect(result_info).toEqual({
      page: 2,
      per_page: 3,
      count: 1,
      total_count: 4,
      total_pages: 2,
    });
  });
});

describe("a bad day", () => {
  it("fails as many calls as planned, as the real one would", async () => {
    faults.planned = { count: 2, status: 429, retryAfter: 7 };
    const limited = await call("GET", records);
    expect(limited.status).toBe(429);
    expect(limited.headers.get("retry-after")).toBe("7");
    expect(limited.errors[0]?.code).toBe(10_100);
    expect((await call("GET", "/__lab/mark")).status).toBe(200);
    expect((await call("GET", records)).status).toBe(429);
    expect((await call("GET", records)).status).toBe(200);
  });

  it("is a line of text when it never reached the API", async () => {
    faults.planned = { count: 1, status: 502 };
    const response = await app.request(records, {
      headers: { authorization: "Bearer secret" },
    });
    expect(response.status).toBe(502);
    expect(await response.text()).toBe("error code: 502");
  });
});
