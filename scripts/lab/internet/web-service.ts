/** All web servers of the lab's internet, each on its own addresses. */
import type { Hono } from "hono";
import type { WebAuthority } from "./certificates.ts";
import {
  type LabHost,
  cloudflareHost,
  outsideResolvers,
  udpEchoPort,
  webHosts,
} from "./hosts.ts";
import { startUdpEcho } from "./udp-echo.ts";
import { anthropic } from "./web/anthropic.ts";
import { gitHub } from "./web/github.ts";
import { openRouter } from "./web/openrouter.ts";
import { webPage } from "./web/page.ts";
import type { RequestLog } from "./web/request-log.ts";
import {
  type Handler,
  http1Server,
  httpServer,
  httpsServer,
  listen,
  redirectToHttps,
} from "./web/server.ts";
import { echoWebSockets } from "./web/websocket.ts";

/** A host, and what it serves by HTTPS and by plain HTTP. */
interface Site {
  readonly host: LabHost;
  readonly https: Handler;
  /** What it speaks there; without it HTTP/2 too. */
  readonly only?: "http/1.1";
  readonly http?: Handler;
  /** Path of a WebSocket that echoes. */
  readonly webSocket?: string;
  /** Ports on which datagrams are echoed; 443 tells who tries HTTP/3. */
  readonly udpEcho?: readonly number[];
}

export interface WebServiceArgs {
  readonly authority: WebAuthority;
  readonly cloudflare: Hono;
  readonly log: RequestLog;
}

export async function startWebService(args: WebServiceArgs): Promise<void> {
  await Promise.all(
    sites(args.cloudflare).map((site) => startSite(site, args)),
  );
}

function sites(cloudflare: Hono): Site[] {
  const api = { http: redirectToHttps, udpEcho: [443] };
  const page = (host: LabHost): Site => {
    const { fetch } = webPage(host.name);
    return { host, https: fetch, http: fetch, udpEcho: [443] };
  };
  return [
    { host: cloudflareHost, https: cloudflare.fetch },
    {
      ...api,
      host: webHosts.openRouter,
      https: openRouter().fetch,
      webSocket: "/api/v1/ws",
    },
    { ...api, host: webHosts.anthropic, https: anthropic().fetch },
    {
      ...api,
      host: webHosts.gitHub,
      https: gitHub().fetch,
      webSocket: "/ws",
    },
    { ...page(webHosts.http1), only: "http/1.1" },
    page(webHosts.forbidden),
    ...outsideResolvers.map((host) => ({
      ...page(host),
      udpEcho: [443, udpEchoPort],
    })),
  ];
}

async function startSite(
  site: Site,
  { authority, log }: WebServiceArgs,
): Promise<void> {
  const { name, ipv4, ipv6 } = site.host;
  // By address is how one asks for an outside resolver's page.
  const isResolver = outsideResolvers.includes(site.host);
  const certificate = await authority.issue(
    isResolver ? [name, ipv4, ipv6] : [name],
  );
  for (const address of [ipv4, ipv6]) {
    const args = { host: name, handler: site.https, log, certificate };
    if (site.only === undefined) {
      const https = httpsServer(args);
      if (site.webSocket !== undefined) echoWebSockets(https, site.webSocket);
      await listen(https, 443, address);
    } else {
      await listen(http1Server(args), 443, address);
    }
    if (site.http) {
      const http = httpServer({ host: name, handler: site.http, log });
      await listen(http, 80, address);
    }
    for (const port of site.udpEcho ?? []) {
      await startUdpEcho(address, port, () => {
        log.datagram(name);
      });
    }
  }
}
