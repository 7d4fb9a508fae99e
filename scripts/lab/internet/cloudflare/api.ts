/** Cloudflare's API (stand-in): zones and their DNS records, in its envelope. */
import { timingSafeEqual } from "node:crypto";
import { type Context, Hono } from "hono";
import {
  CloudflareRefusal,
  type RecordStore,
  type StoredRecord,
} from "./records.ts";

export interface CloudflareArgs {
  /** The one token that is let in. */
  readonly token: string;
  readonly zone: { readonly id: string; readonly name: string };
  readonly nameServers: readonly string[];
  readonly records: RecordStore;
  /** What the lab's own control endpoints show and change. */
  readonly control: Control;
}

export interface Control {
  /** Requests that the web hosts received. */
  readonly requests: () => unknown[];
  /** Seconds by which the second name server is behind. */
  lagSeconds: number;
  /** Answers that fail from now on, and with what status. */
  failures: { count: number; status: number };
}

/** The API below `/client/v4`, and the lab's control below `/__lab`. */
export function cloudflareApi(args: CloudflareArgs): Hono {
  const { token, zone, records, control } = args;
  const app = new Hono();

  app.use(async (context, next) => {
    const given = context.req.header("authorization") ?? "";
    if (given === "") {
      return refuse(
        context,
        new CloudflareRefusal(400, 9106, "Missing Authorization header"),
      );
    }
    const expected = Buffer.from(`Bearer ${token}`);
    const actual = Buffer.from(given);
    if (
      expected.length !== actual.length ||
      !timingSafeEqual(expected, actual)
    ) {
      return refuse(
        context,
        new CloudflareRefusal(403, 9109, "Invalid access token"),
      );
    }
    if (control.failures.count > 0 && context.req.path.startsWith("/client")) {
      control.failures.count--;
      return context.text("", control.failures.status as 500);
    }
    return next();
  });
  app.onError((error, context) => {
    if (error instanceof CloudflareRefusal) return refuse(context, error);
    throw error;
  });
  app.notFound((context) =>
    refuse(
      context,
      new CloudflareRefusal(
        404,
        7003,
        `Could not route to ${context.req.path}, perhaps your object identifier is invalid?`,
      ),
    ),
  );

  const zoneResult = {
    id: zone.id,
    name: zone.name,
    status: "active",
    paused: false,
    type: "full",
    name_servers: args.nameServers,
  };
  const api = app.basePath("/client/v4");
  api.get("/zones", (context) => {
    const name = context.req.query("name");
    const zones = name === undefined || name === zone.name ? [zoneResult] : [];
    return page(context, zones);
  });
  api.get("/zones/:zone", (context) => {
    requireZone(context.req.param("zone"), zone.id);
    return succeed(context, zoneResult);
  });

  const path = "/zones/:zone/dns_records";
  api.use(`${path}/*`, async (context, next) => {
    requireZone(context.req.param("zone"), zone.id);
    await next();
  });
  api.get(path, (context) => {
    requireZone(context.req.param("zone"), zone.id);
    return page(context, records.list().filter(filterOf(context)));
  });
  api.post(path, async (context) => {
    requireZone(context.req.param("zone"), zone.id);
    return succeed(context, records.create(await body(context)));
  });
  api.get(`${path}/:id`, (context) =>
    succeed(context, records.get(context.req.param("id"))),
  );
  for (const method of ["PUT", "PATCH"] as const) {
    api.on(method, `${path}/:id`, async (context) =>
      succeed(
        context,
        records.change(
          context.req.param("id"),
          await body(context),
          method === "PATCH",
        ),
      ),
    );
  }
  api.delete(`${path}/:id`, (context) => {
    const id = context.req.param("id");
    records.remove(id);
    return succeed(context, { id });
  });

  app.get("/__lab/requests", (context) => context.json(control.requests()));
  app.post("/__lab/lag", async (context) => {
    const { seconds } = (await body(context)) as { seconds: number };
    control.lagSeconds = seconds;
    return context.json({ lagSeconds: seconds });
  });
  app.post("/__lab/fail", async (context) => {
    control.failures = (await body(context)) as Control["failures"];
    return context.json(control.failures);
  });
  return app;
}

function requireZone(given: string | undefined, id: string): void {
  if (given === id) return;
  throw new CloudflareRefusal(
    404,
    7003,
    `Could not route to /zones/${given ?? ""}, perhaps your object identifier is invalid?`,
  );
}

/** @throws CloudflareRefusal when the body is no JSON */
async function body(context: Context): Promise<unknown> {
  return context.req.json().catch(() => {
    throw new CloudflareRefusal(400, 9207, "Request body is invalid.");
  });
}

/** The list filters that clients use; names and contents compare exactly. */
function filterOf(context: Context): (record: StoredRecord) => boolean {
  const query = (name: string) =>
    context.req.query(name) ?? context.req.query(`${name}.exact`);
  const wanted = {
    type: query("type"),
    name: query("name")?.toLowerCase(),
    content: query("content"),
    comment: query("comment"),
  };
  return (record) =>
    Object.entries(wanted).every(
      ([field, value]) =>
        value === undefined || record[field as keyof typeof wanted] === value,
    );
}

function page(context: Context, all: readonly object[]) {
  const number = Number(context.req.query("page") ?? 1);
  const size = Number(context.req.query("per_page") ?? 100);
  const result = all.slice((number - 1) * size, number * size);
  return context.json({
    success: true,
    errors: [],
    messages: [],
    result,
    result_info: {
      page: number,
      per_page: size,
      count: result.length,
      total_count: all.length,
      total_pages: Math.ceil(all.length / size),
    },
  });
}

function succeed(context: Context, result: object) {
  return context.json({ success: true, errors: [], messages: [], result });
}

function refuse(
  context: Context,
  { status, code, message }: CloudflareRefusal,
) {
  return context.json(
    { success: false, errors: [{ code, message }], messages: [], result: null },
    status,
  );
}
