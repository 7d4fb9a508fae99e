/** Daytona's servers on loopback, with sandboxes that are only a toolbox. */
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../../scripts/lab/daytona/app/server.ts";
import { createApiServer } from "../../../scripts/lab/daytona/server/api-server.ts";
import { createProxy } from "../../../scripts/lab/daytona/server/proxy.ts";
import {
  type SandboxRuntime,
  Sandboxes,
} from "../../../scripts/lab/daytona/server/sandboxes.ts";
import { createToolbox } from "../../../scripts/lab/daytona/toolbox/server.ts";

export const apiKey = "dtn_test";
export const domain = "sandbox.example.test";
export const publicId = "83792513-cd9e-428f-99c0-63c63bc7739c";
export const privateId = "5f0c1a52-7d3b-4c1e-9a44-2b6a1e0d9c31";
export const previewToken = "0123456789abcdef0123456789abcdef";

export interface TestLab {
  readonly sandboxes: Sandboxes;
  readonly api: number;
  readonly proxy: number;
  /** Port of the app in every sandbox. */
  readonly app: number;
  /** Port of the toolbox. */
  readonly toolbox: number;
  close(): void;
}

export async function startLab(): Promise<TestLab> {
  const directory = mkdtempSync(join(tmpdir(), "lab-daytona-"));
  const servers: Server[] = [];
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, resolve));
    return (server.address() as AddressInfo).port;
  };
  const toolbox = await listen(createToolbox("v0.190.0"));
  const sandboxes = new Sandboxes(directory, loopbackRuntime(toolbox));
  await sandboxes.restore([
    { id: publicId, public: true },
    { id: privateId, public: false, previewToken },
  ]);
  const issuer = "http://login.example.test";
  const common = { version: "v0.190.0", apiKey };
  const login = { issuer, clientId: "daytona", protocol: "https" };
  return {
    sandboxes,
    toolbox,
    app: await listen(createApp()),
    api: await listen(
      createApiServer({ ...common, ...login, domain }, sandboxes),
    ),
    proxy: await listen(
      createProxy(
        { ...common, proxyApiKey: "seal", runnerToken: "runner", login },
        sandboxes,
      ),
    ),
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      rmSync(directory, { recursive: true });
    },
  };
}

/** Starts nothing: every sandbox has the same toolbox. */
export function loopbackRuntime(port: number): SandboxRuntime {
  const done = () => Promise.resolve();
  return {
    hasSnapshot: (name) => name === "known",
    toolbox: () => ({ host: "127.0.0.1", port }),
    start: done,
    stop: done,
    destroy: done,
  };
}
