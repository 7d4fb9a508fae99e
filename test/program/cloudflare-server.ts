/** The lab's Cloudflare API (a stand-in), on a port of the loopback. */
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { cloudflareApi } from "../../scripts/lab/internet/cloudflare/api.ts";
import { FaultInjection } from "../../scripts/lab/internet/cloudflare/faults.ts";
import { RecordStore } from "../../scripts/lab/internet/cloudflare/record-store.ts";

export interface CloudflareServer {
  readonly records: RecordStore;
  readonly token: string;
  readonly zoneId: string;
  stop(): void;
}

/**
 * The environment of this process leads to it, where the stand-in provider
 * looks, until it is stopped.
 * @param directory where its records are kept
 */
export async function startCloudflare(
  zone: string,
  directory: string,
): Promise<CloudflareServer> {
  const token = "cloudflare-token-0123456789";
  const zoneId = "0".repeat(32);
  const records = new RecordStore({
    zone,
    file: join(directory, "records.json"),
    onChange: () => undefined,
  });
  const app = cloudflareApi({
    token,
    zone: { id: zoneId, name: zone },
    nameServers: [],
    records,
    faults: new FaultInjection(),
    control: new Hono(),
  });
  const server = createServer((request, response) => {
    void getRequestListener(app.fetch)(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  process.env.CLOUDFLARE_BASE_URL = `http://127.0.0.1:${String(port)}/client/v4`;
  process.env.CLOUDFLARE_API_TOKEN = token;
  return {
    records,
    token,
    zoneId,
    stop: () => {
      delete process.env.CLOUDFLARE_BASE_URL;
      delete process.env.CLOUDFLARE_API_TOKEN;
      server.close();
      server.closeAllConnections();
    },
  };
}
