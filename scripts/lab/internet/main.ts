/**
 * The lab's internet: DNS from the root down, stand-ins of Cloudflare and of
 * the web hosts that sandboxes want to reach, and what else is out there. Runs
 * as root on the lab's "internet" machine, beside Pebble, the certificate
 * authority. Nothing of the product itself belongs here.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type WebAuthority, webAuthority } from "./certificates.ts";
import { cloudflareApi } from "./cloudflare/api.ts";
import { FaultInjection } from "./cloudflare/faults.ts";
import { RecordStore } from "./cloudflare/record-store.ts";
import { internetConfig } from "./config.ts";
import { controlApi } from "./control.ts";
import { QueryLog } from "./dns/query-log.ts";
import { acmeHost, nameServers } from "./hosts.ts";
import { NameService } from "./name-service.ts";
import { startWebService } from "./web-service.ts";
import { RequestLog } from "./web/request-log.ts";

const configFile = "/etc/lab/internet.json";
/** Where Pebble, which starts next, looks for its certificate. */
const runtimeDirectory = "/run/lab";
const stateDirectory = "/var/lib/lab";

async function main(): Promise<void> {
  const { webCa, cloudflareToken, zone } = internetConfig.parse(
    JSON.parse(readFileSync(configFile, "utf8")),
  );
  const authority = await webAuthority(webCa);
  await layCertificateOfAcme(authority);

  const records = new RecordStore({
    zone: zone.name,
    file: join(stateDirectory, "dns-records.json"),
    onChange: (changed) => {
      names.publish(changed);
    },
  });
  const names = new NameService(zone.name, records.list());
  const queries = new QueryLog();
  const requests = new RequestLog();
  const faults = new FaultInjection();
  const { replicas } = names;
  await names.start(queries);
  await startWebService({
    authority,
    log: requests,
    cloudflare: cloudflareApi({
      token: cloudflareToken,
      zone,
      nameServers: Object.values(nameServers),
      records,
      faults,
      control: controlApi({ requests, queries, faults, replicas }),
    }),
  });
  // systemd starts Pebble only now; by hand there is nobody to tell.
  if (process.env.NOTIFY_SOCKET !== undefined) {
    execFileSync("systemd-notify", ["--ready"]);
  }
}

async function layCertificateOfAcme(authority: WebAuthority): Promise<void> {
  const { certificate, key } = await authority.issue([acmeHost.name]);
  writeFileSync(join(runtimeDirectory, "acme.pem"), certificate);
  writeFileSync(join(runtimeDirectory, "acme.key"), key, { mode: 0o600 });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
