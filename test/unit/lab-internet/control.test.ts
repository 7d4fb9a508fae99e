import { beforeEach, expect, it } from "vitest";
import { FaultInjection } from "../../../scripts/lab/internet/cloudflare/faults.ts";
import { controlApi } from "../../../scripts/lab/internet/control.ts";
import { QueryLog } from "../../../scripts/lab/internet/dns/query-log.ts";
import { ZoneReplica } from "../../../scripts/lab/internet/dns/replica.ts";
import { Zone } from "../../../scripts/lab/internet/dns/zone.ts";
import { RequestLog } from "../../../scripts/lab/internet/web/request-log.ts";

const faults = new FaultInjection();
const requests = new RequestLog();
const queries = new QueryLog();
let replica: ZoneReplica;
let app: ReturnType<typeof controlApi>;

beforeEach(() => {
  replica = new ZoneReplica(
    new Zone(
      { type: "SOA", name: "test", data: { mname: "n", rname: "r" } },
      [],
    ),
  );
  const replicas = { "ns2.test": replica };
  app = controlApi({ requests, queries, faults, replicas });
});

const put = (path: string, body: string) =>
  app.request(path, { method: "PUT", body });

it("makes a name server lag", async () => {
  expect((await put("/name-servers/ns2.test", '{"lag":500}')).status).toBe(200);
  expect(replica.lag).toBe(500);
  expect(await (await app.request("/name-servers")).json()).toEqual([
    { name: "ns2.test", lag: 500 },
  ]);
});

it.each([
  ["/name-servers/ns2.test", '{"lag":-1}', 400],
  ["/name-servers/ns2.test", "{", 400],
  ["/name-servers/ns9.test", '{"lag":1}', 404],
  ["/failures", '{"count":1,"status":200}', 400],
])("refuses %s %s", async (path, body, status) => {
  expect((await put(path, body)).status).toBe(status);
});

it("plans failures", async () => {
  await put("/failures", '{"count":3,"status":503}');
  expect(faults.planned).toEqual({ count: 3, status: 503 });
});

it("shows queries by name and server, and forgets them", async () => {
  const query = {
    at: "2026-01-01T00:00:00Z",
    server: "192.0.2.1",
    transport: "udp",
    client: "192.0.2.9",
    name: "HOST.test",
    type: "A",
    rcode: 0,
  } as const;
  queries.add(query);
  queries.add({ ...query, server: "192.0.2.2" });
  const seen = async (path: string) =>
    (await (await app.request(path)).json()) as object[];
  expect(await seen("/queries?name=host.test")).toHaveLength(2);
  expect(await seen("/queries?server=192.0.2.2")).toHaveLength(1);
  expect(await seen("/queries?name=other.test")).toEqual([]);
  await app.request("/queries", { method: "DELETE" });
  expect(await seen("/queries")).toEqual([]);
});
