/**
 * The lab's internet (stand-in): its DNS, Cloudflare's API, and the web that
 * sandboxes want to reach. One program on the machine `internet`; the ACME
 * server beside it is Pebble.
 */
import { readFileSync } from "node:fs";
import { type Control, cloudflareApi } from "./cloudflare/api.ts";
import { RecordStore, zoneRecord } from "./cloudflare/records.ts";
import { type NameServer, listen } from "./dns/server.ts";
import { staticRecords } from "./dns/static-records.ts";
import type { ZoneRecord } from "./dns/zone.ts";
import {
  bareAddresses,
  cloudflareNameServers,
  cloudflareZone,
  internetAddress,
  internetAddress6,
  secondNameServer,
  strayAddress,
  webHosts,
} from "./hosts.ts";
import { type InternetSettings, settingsFile } from "./settings.ts";
import { anthropic, gitHub, openRouter, stranger } from "./web/apis.ts";
import { webCertificate } from "./web/certificates.ts";
import {
  type ReceivedRequest,
  type WebHost,
  echoDatagrams,
  serveHosts,
} from "./web/server.ts";

/** How many requests are remembered for the lab's control. */
const memory = 1000;

async function main(): Promise<void> {
  const settings = JSON.parse(
    readFileSync(settingsFile, "utf8"),
  ) as InternetSettings;
  const records = new RecordStore(cloudflareZone);
  const received: ReceivedRequest[] = [];
  const control: Control = {
    requests: () => received,
    lagSeconds: 0,
    failures: { count: 0, status: 500 },
  };

  await serveNames(records, control);
  await serveHosts(await hosts(settings, records, control), (request) => {
    received.push(request);
    if (received.length > memory) received.shift();
    console.log(JSON.stringify(request));
  });
  for (const address of bareAddresses) {
    await echoDatagrams(address, 443);
    await echoDatagrams(address, 4444);
  }
  console.log("the lab's internet is up");
}

async function serveNames(
  records: RecordStore,
  control: Control,
): Promise<void> {
  const known = (lagSeconds: number): ZoneRecord[] => {
    const newest = Date.now() - lagSeconds * 1000;
    return [
      ...staticRecords,
      ...records
        .list()
        .filter((record) => Date.parse(record.modified_on) <= newest)
        .map(zoneRecord),
    ];
  };
  const servers: NameServer[] = [
    ...[internetAddress, internetAddress6].map((address) => ({
      address,
      port: 53,
      records: () => known(0),
    })),
    {
      address: secondNameServer,
      port: 53,
      records: () => known(control.lagSeconds),
    },
    ...bareAddresses.map((address) => ({
      address,
      port: 53,
      records: () => known(0),
      openResolver: { strayAddress },
      onQuestion: (name: string, type: string) => {
        console.log(JSON.stringify({ resolver: address, name, type }));
      },
    })),
  ];
  for (const server of servers) await listen(server);
}

async function hosts(
  settings: InternetSettings,
  records: RecordStore,
  control: Control,
): Promise<WebHost[]> {
  const apps = {
    "openrouter.ai": openRouter(),
    "api.anthropic.com": anthropic(),
    "api.github.com": gitHub(),
  };
  const named = webHosts.map(({ name, ipv4, ipv6 }) => ({
    name,
    addresses: [ipv4, ...(ipv6 === undefined ? [] : [ipv6])],
    app: apps[name as keyof typeof apps] ?? stranger(name),
    ...(name === "openrouter.ai" ? { echoSocket: "/api/v1/ws" } : {}),
  }));
  const bare = bareAddresses.map((address) => ({
    name: address,
    addresses: [address],
    app: stranger(address),
  }));
  const cloudflare = {
    name: "cloudflare.internal",
    addresses: [internetAddress, internetAddress6],
    app: cloudflareApi({
      token: settings.cloudflareToken,
      zone: { id: settings.zoneId, name: cloudflareZone },
      nameServers: cloudflareNameServers,
      records,
      control,
    }),
  };
  return Promise.all(
    [...named, ...bare, cloudflare].map(async (host) => ({
      ...host,
      certificate: await webCertificate(settings.webCa, host.name),
    })),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
