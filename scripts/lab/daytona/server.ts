/**
 * Stand-in of a self-hosted Daytona v0.190.0: its API on 3000 and its preview
 * proxy on 4000, with the proxy's known holes, and the names of its sandboxes
 * on 5300, as Docker gives them. Runs on the lab's "daytona"
 * machine; its sandboxes are containers of Docker there. What lives in server/: one
 * file per part of Daytona. Nothing of the product itself belongs here.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { createApiServer } from "./server/api-server.ts";
import { createNames } from "./server/names.ts";
import { createProxy } from "./server/proxy.ts";
import { dockerSandboxes } from "./server/docker-sandboxes.ts";
import { Sandboxes } from "./server/sandboxes.ts";

const environment = z
  .object({
    DAYTONA_API_KEY: z.string().min(1),
    PROXY_API_KEY: z.string().min(1),
    PROXY_DOMAIN: z.string().min(1),
    PROXY_PROTOCOL: z.enum(["http", "https"]),
    OIDC_DOMAIN: z.url(),
    OIDC_CLIENT_ID: z.string().min(1),
    /** JSON file: the sandboxes that exist from the beginning. */
    INITIAL_SANDBOXES: z.string(),
    STATE_DIRECTORY: z.string(),
    SANDBOX_SNAPSHOTS: z.string(),
    SANDBOX_IPV6: z.stringbool(),
  })
  .parse(process.env);

const initialSandboxes = z.array(
  z.object({
    id: z.string(),
    public: z.boolean(),
    previewToken: z.string().optional(),
    env: z.record(z.string(), z.string()),
  }),
);

const version = "v0.190.0";
const domain = environment.PROXY_DOMAIN;
const protocol = environment.PROXY_PROTOCOL;
const issuer = environment.OIDC_DOMAIN;
const clientId = environment.OIDC_CLIENT_ID;
const apiKey = environment.DAYTONA_API_KEY;

const sandboxes = new Sandboxes(
  join(environment.STATE_DIRECTORY, "sandboxes"),
  dockerSandboxes(environment.SANDBOX_SNAPSHOTS, environment.SANDBOX_IPV6),
);
const initial = readFileSync(environment.INITIAL_SANDBOXES, "utf8");

// Whoever waits for the API to answer may use the sandboxes at once.
void sandboxes.restore(initialSandboxes.parse(JSON.parse(initial))).then(() => {
  const api = { version, apiKey, domain, protocol, issuer, clientId };
  createApiServer(api, sandboxes).listen(3000);
  const proxy = {
    version,
    apiKey,
    proxyApiKey: environment.PROXY_API_KEY,
    runnerToken: randomBytes(16).toString("hex"),
    login: { issuer, clientId, protocol },
  };
  createProxy(proxy, sandboxes).listen(4000);
  createNames(sandboxes).bind(5300);
});
