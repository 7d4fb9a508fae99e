/**
 * Stand-in of Cloudflare's API v4: zones and their DNS records, as
 * developers.cloudflare.com/api describes them and as clients report what it
 * says. What it stores is what the lab's name servers answer. One file per
 * part of it lives here; nothing of the product itself belongs here.
 */
import { type Context, Hono } from "hono";
import type { LabHost } from "../hosts.ts";
import { requireToken } from "./authorization.ts";
import type { FaultInjection } from "./faults.ts";
import { type PageSizes, matchingRecords, page } from "./list-query.ts";
import type { RecordStore } from "./record-store.ts";
import { CloudflareRefusal, invalidRecord, unroutable } from "./refusal.ts";

export interface CloudflareApiArgs {
  /** The only token that is let in. */
  readonly token: string;
  readonly zone: { readonly id: string; readonly name: string };
  readonly nameServers: readonly LabHost[];
  readonly records: RecordStore;
  readonly faults: FaultInjection;
  /** The lab's own endpoints, below `/__lab`. */
  readonly control: Hono;
}

const zonePages: PageSizes = { usual: 20, least: 5, most: 50 };
const recordPages: PageSizes = { usual: 100, least: 1, most: 5_000_000 };
const identifier = /^[0-9a-f]{32}$/;

export function cloudflareApi(args: CloudflareApiArgs): Hono {
  const { token, control, faults } = args;
  const app = new Hono({ strict: false });
  app.use(requireToken(token));
  app.onError((error, context) => {
    if (error instanceof CloudflareRefusal) return refuse(context, error);
    throw error;
  });
  app.notFound((context) => refuse(context, unroutable(context.req.path)));
  app.route("/__lab", control);
  const api = new Hono({ strict: false });
  api.use(faults.middleware);
  api.get("/user/tokens/verify", (context) =>
    succeed(context, { id: "0".repeat(32), status: "active" }),
  );
  zoneRoutes(api, args);
  recordRoutes(api, args);
  app.route("/client/v4", api);
  return app;
}

function zoneRoutes(api: Hono, args: CloudflareApiArgs): void {
  const zone = zoneResult(args);
  api.get("/zones", (context) => {
    const { name, status, "account.id": account } = context.req.query();
    const isWanted =
      (name === undefined || name.toLowerCase() === zone.name) &&
      (status === undefined || status === zone.status) &&
      (account === undefined || account === zone.account.id);
    const found = page(isWanted ? [zone] : [], context.req.query(), zonePages);
    return context.json({ ...found, ...success });
  });
  api.use("/zones/:zone/*", async (context, next) => {
    const { zone: id } = context.req.param();
    if (!identifier.test(id)) throw unroutable(context.req.path);
    if (id !== args.zone.id) {
      // The token is for its zone only; whether others exist, it cannot learn.
      throw context.req.path.includes("/dns_records")
        ? new CloudflareRefusal(403, 10_000, "Authentication error")
        : new CloudflareRefusal(
            403,
            9109,
            "Unauthorized to access requested resource",
          );
    }
    await next();
  });
  api.get("/zones/:zone", (context) => succeed(context, zone));
}

function recordRoutes(api: Hono, { records }: CloudflareApiArgs): void {
  const list = "/zones/:zone/dns_records";
  const one = `${list}/:record`;
  api.get(list, (context) => {
    const query = context.req.query();
    const found = matchingRecords(records.list(), query);
    return context.json({ ...page(found, query, recordPages), ...success });
  });
  api.post(list, async (context) =>
    succeed(context, records.create(await json(context))),
  );
  api.use(one, async (context, next) => {
    if (!identifier.test(context.req.param("record"))) {
      throw unroutable(context.req.path);
    }
    await next();
  });
  api.get(one, (context) =>
    succeed(context, records.get(context.req.param("record"))),
  );
  api.put(one, async (context) => {
    const input = await json(context);
    return succeed(
      context,
      records.replace(context.req.param("record"), input),
    );
  });
  api.patch(one, async (context) => {
    const input = await json(context);
    return succeed(context, records.change(context.req.param("record"), input));
  });
  api.delete(one, (context) => {
    const id = context.req.param("record");
    records.remove(id);
    return succeed(context, { id });
  });
}

const success = { success: true, errors: [], messages: [] } as const;

function succeed(context: Context, result: object) {
  return context.json({ result, ...success });
}

function refuse(context: Context, { status, problem }: CloudflareRefusal) {
  return context.json(
    { result: null, success: false, errors: [problem], messages: [] },
    status,
  );
}

/** @throws CloudflareRefusal 9207 */
async function json(context: Context): Promise<unknown> {
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type)) {
    throw invalidRecord(9207, "Content-type must be application/json.");
  }
  try {
    return await context.req.json<unknown>();
  } catch {
    throw invalidRecord(9207, "Request body is invalid.");
  }
}

function zoneResult({ zone, nameServers }: CloudflareApiArgs) {
  const since = "2026-01-01T00:00:00.000000Z";
  return {
    id: zone.id,
    name: zone.name,
    status: "active",
    paused: false,
    type: "full",
    development_mode: 0,
    name_servers: nameServers.map(({ name }) => name),
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    created_on: since,
    modified_on: since,
    activated_on: since,
    meta: {
      step: 2,
      custom_certificate_quota: 0,
      page_rule_quota: 3,
      phishing_detected: false,
    },
    owner: { id: null, type: "user", email: null },
    account: { id: "1".repeat(32), name: "the lab's account" },
    permissions: ["#dns_records:edit", "#dns_records:read", "#zone:read"],
    plan: { id: "2".repeat(32), name: "Free Website", legacy_id: "free" },
  };
}
