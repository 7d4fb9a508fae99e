/** Daytona's API as far as its SDK needs it for a sandbox's life. */
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import * as z from "zod";
import { type ErrorStatus, errorBody } from "./errors.ts";
import type { SandboxRecord } from "./record.ts";
import { SandboxConflict, type Sandboxes } from "./sandboxes.ts";

export interface ApiSettings {
  readonly version: string;
  readonly apiKey: string;
  /** Domain of the preview addresses. */
  readonly domain: string;
  /** Scheme of the preview addresses. */
  readonly protocol: string;
  /** Base address of the login server. */
  readonly issuer: string;
  readonly clientId: string;
}

const createBody = z.object({
  name: z.string().min(1).optional(),
  snapshot: z.string().optional(),
  user: z.string().optional(),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .optional(),
  labels: z.record(z.string(), z.string()).optional(),
  public: z.boolean().optional(),
  // The stand-in has no network rules of its own and does not pretend to.
  networkBlockAll: z.literal(false).optional(),
  networkAllowList: z.undefined().optional(),
  domainAllowList: z.undefined().optional(),
});

const port = z
  .string()
  .regex(/^[0-9]{1,5}$/)
  .transform(Number)
  .pipe(z.number().min(1).max(65535));

/** Seconds that a signed preview address is good. */
const lifetime = z
  .string()
  .default("60")
  .transform(Number)
  .pipe(z.number().int().min(1).max(86_400));

export function createApi(settings: ApiSettings, sandboxes: Sandboxes): Hono {
  const { domain, protocol } = settings;
  const toolboxProxyUrl = `${protocol}://${domain}/toolbox`;
  const api = new Hono().basePath("/api");

  api.get("/health", (c) => c.json({ status: "ok" }));
  api.get("/config", (c) =>
    c.json({
      version: settings.version,
      oidc: {
        issuer: settings.issuer,
        clientId: settings.clientId,
        audience: settings.clientId,
      },
      proxyTemplateUrl: `${protocol}://{{PORT}}-{{sandboxId}}.${domain}`,
      proxyToolboxUrl: toolboxProxyUrl,
    }),
  );

  api.use(async (c, next) => {
    if (c.req.header("Authorization") !== `Bearer ${settings.apiKey}`) {
      throw new HTTPException(401, { message: "Invalid credentials" });
    }
    await next();
  });

  api.post("/sandbox", async (c) => {
    const text = await c.req.text();
    const body = parse(createBody, text === "" ? {} : json(text));
    const { snapshot } = body;
    if (snapshot !== undefined && !sandboxes.runtime.hasSnapshot(snapshot)) {
      const message = `Snapshot ${snapshot} not found`;
      throw new HTTPException(400, { message });
    }
    return c.json(view(await sandboxes.create(body)));
  });
  api.get("/sandbox", (c) => c.json(sandboxes.list().map(view)));
  api.get("/sandbox/:idOrName", (c) => c.json(view(named(c))));
  api.delete("/sandbox/:idOrName", async (c) => {
    const record = named(c);
    await sandboxes.destroy(record);
    return c.json({
      ...view(record),
      state: "destroyed",
      desiredState: "destroyed",
    });
  });
  api.post("/sandbox/:idOrName/start", async (c) => {
    const record = named(c);
    await sandboxes.start(record);
    return c.json(view(record));
  });
  api.post("/sandbox/:idOrName/stop", async (c) => {
    const record = named(c);
    await sandboxes.stop(record);
    return c.json(view(record));
  });
  api.post("/sandbox/:idOrName/public/:isPublic{true|false}", (c) => {
    const record = named(c);
    sandboxes.setPublic(record, c.req.param("isPublic") === "true");
    return c.json(view(record));
  });
  api.get("/sandbox/:idOrName/ports/:port/preview-url", (c) => {
    const { id, previewToken } = named(c);
    const url = `${protocol}://${String(portOf(c))}-${id}.${domain}`;
    return c.json({ sandboxId: id, url, token: previewToken });
  });
  api.get("/sandbox/:idOrName/ports/:port/signed-preview-url", (c) => {
    const record = named(c);
    const seconds = parse(lifetime, c.req.query("expiresInSeconds"));
    const token = sandboxes.signPreview(record, portOf(c), seconds);
    const url = `${protocol}://${String(portOf(c))}-${token}.${domain}`;
    return c.json({ sandboxId: record.id, port: portOf(c), token, url });
  });
  api.post(
    "/sandbox/:idOrName/ports/:port/signed-preview-url/:token/expire",
    (c) => {
      sandboxes.expirePreview(named(c), portOf(c), c.req.param("token"));
      return c.body(null, 200);
    },
  );
  api.get("/sandbox/:idOrName/toolbox-proxy-url", (c) => {
    named(c);
    return c.json({ url: toolboxProxyUrl });
  });

  api.notFound((c) => failure(c, 404, `Cannot ${c.req.method} ${c.req.path}`));
  api.onError((error, c) => {
    if (error instanceof HTTPException) {
      return failure(c, error.status as ErrorStatus, error.message);
    }
    if (error instanceof SandboxConflict) return failure(c, 409, error.message);
    console.error(error);
    return failure(c, 500, error.message);
  });
  return api;

  function named(c: Context): SandboxRecord {
    const idOrName = c.req.param("idOrName") ?? "";
    const record = sandboxes.find(idOrName);
    if (record) return record;
    const message = `Sandbox with ID or name ${idOrName} not found`;
    throw new HTTPException(404, { message });
  }

  function portOf(c: Context): number {
    return parse(port, c.req.param("port"));
  }

  function failure(c: Context, status: ErrorStatus, message: string) {
    const { method, path } = c.req;
    return c.json(errorBody(status, message, { method, path }), status);
  }

  function view(record: SandboxRecord) {
    const { id, name, snapshot, user, env, labels, state } = record;
    return {
      id,
      organizationId: "00000000-0000-4000-8000-000000000000",
      name,
      target: "us",
      snapshot,
      user,
      env,
      labels,
      cpu: 1,
      gpu: 0,
      memory: 1,
      disk: 3,
      public: record.public,
      networkBlockAll: false,
      daemonVersion: env.LAB_DAEMON_VERSION ?? settings.version,
      state,
      desiredState: state === "stopped" ? "stopped" : "started",
      // The stand-in stops no sandbox by itself.
      autoStopInterval: 0,
      autoArchiveInterval: 0,
      autoDeleteInterval: -1,
      volumes: [],
      createdAt: record.createdAt,
      updatedAt: record.updatedAt,
      runnerId: "daytona-lab",
      toolboxProxyUrl,
    };
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HTTPException(400, { message: String(error) });
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new HTTPException(400, { message: z.prettifyError(result.error) });
}
