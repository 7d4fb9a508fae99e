import { type Context, Hono } from "hono";
import { createReadStream, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import * as z from "zod";
import { type ErrorStatus, errorBody } from "../server/errors.ts";
import { executeWords } from "./execute-words.ts";
import { ExecutionTimeout, execute } from "./execute.ts";

const executeBody = z.object({
  command: z.string().min(1),
  cwd: z.string().optional(),
  envs: z.record(z.string(), z.string()).optional(),
  timeout: z.number().nonnegative().optional(),
});

/** What the toolbox answers itself; nobody has to show a key. */
export function toolboxRoutes(version: string): Hono {
  const routes = new Hono();
  const run = hasShell(version) ? execute : executeWords;

  routes.get("/version", (c) => c.json({ version }));

  routes.post("/process/execute", async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined);
    const execution = executeBody.safeParse(body);
    if (!execution.success) {
      return failure(c, 400, z.prettifyError(execution.error));
    }
    return c.json(await run(execution.data));
  });

  routes.get("/files/download", (c) => {
    const path = c.req.query("path");
    if (path === undefined) return failure(c, 400, "path is required");
    const file = statSync(path, { throwIfNoEntry: false });
    if (!file?.isFile()) return failure(c, 404, `file not found: ${path}`);
    return c.body(
      Readable.toWeb(createReadStream(path)) as ReadableStream,
      200,
      {
        "Content-Type": "application/octet-stream",
        "Content-Length": String(file.size),
      },
    );
  });

  routes.post("/files/upload", async (c) => {
    const path = c.req.query("path");
    const { file } = await c.req.parseBody();
    if (path === undefined || !(file instanceof File)) {
      return failure(
        c,
        400,
        "the query path and the form field file are required",
      );
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.from(await file.arrayBuffer()));
    return c.body(null, 200);
  });

  routes.notFound((c) => failure(c, 404, `Cannot find ${c.req.path}`));
  routes.onError((error, c) =>
    failure(c, error instanceof ExecutionTimeout ? 408 : 500, error.message),
  );
  return routes;
}

/** Since v0.156.0. */
function hasShell(version: string): boolean {
  const minor = /^v0\.(\d+)\./.exec(version)?.[1];
  return minor === undefined || Number(minor) >= 156;
}

function failure(c: Context, status: ErrorStatus, message: string) {
  const { method, path } = c.req;
  return c.json(errorBody(status, message, { method, path }), status);
}
