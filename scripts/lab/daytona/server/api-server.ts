import { getRequestListener } from "@hono/node-server";
import { Agent, type Server, createServer } from "node:http";
import { createReverseProxy } from "../reverse-proxy.ts";
import { type ApiSettings, createApi } from "./api.ts";
import { sendError } from "./errors.ts";
import type { Sandboxes } from "./sandboxes.ts";

/** How long a command may run that is sent by way of the API, in ms. */
const toolboxTimeout = 360_000;

/**
 * Daytona's API with its deprecated way to a toolbox,
 * `/api/toolbox/{id}/toolbox/…`, which passes requests through.
 */
export function createApiServer(
  settings: ApiSettings,
  sandboxes: Sandboxes,
): Server {
  const api = getRequestListener(createApi(settings, sandboxes).fetch);
  const proxy = createReverseProxy(new Agent({ keepAlive: true }));

  const server = createServer((request, response) => {
    const toolbox = /^\/api\/toolbox\/([^/?]+)\/toolbox(\/.*)$/.exec(
      request.url ?? "",
    );
    if (!toolbox) {
      void api(request, response);
      return;
    }
    const [, idOrName = "", path = ""] = toolbox;
    const record = sandboxes.find(idOrName);
    if (request.headers.authorization !== `Bearer ${settings.apiKey}`) {
      sendError(request, response, 401, "Invalid credentials");
    } else if (!record) {
      const message = `Sandbox with ID or name ${idOrName} not found`;
      sendError(request, response, 404, message);
    } else if (record.state !== "started") {
      sendError(request, response, 400, "Sandbox is not running");
    } else {
      const headers = { authorization: undefined };
      const { host, port } = sandboxes.runtime.toolbox(record);
      const to = { host, port, path, headers, timeout: toolboxTimeout };
      proxy.forward(request, response, to, (error) => {
        sendError(
          request,
          response,
          408,
          `The toolbox did not answer: ${error.message}`,
        );
      });
    }
  });
  server.requestTimeout = 0;
  return server;
}
