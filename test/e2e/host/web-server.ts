/** The web server that a server has on 443 and 80 before anything of ours is there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cloudflare } from "../internet.ts";
import { labExec } from "../lab.ts";
import { removeNames } from "./names.ts";

/** Its two sites, as web-server/ has them. */
export const sites = {
  dashboard: "dashboard.daytona.defikit.net",
  api: "api.daytona.defikit.net",
} as const;

export const otherSites = { https: "127.0.0.1:8443", http: "127.0.0.1:8080" };

const file = (name: string) =>
  readFileSync(join(import.meta.dirname, "web-server", name), "utf8");
const caddysFile = "/etc/caddy/Caddyfile";
const nginxFile = "/etc/nginx/sites-enabled/default";
const certificates = "/var/lib/caddy/.local/share/caddy/certificates/local";

const on = async (machine: string, line: string, input = "") => {
  const outcome = await labExec(machine, ["sh", "-ec", line], { input });
  if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
  return outcome.stdout;
};

/** Starts Caddy as it is on a server that is its alone. */
export async function startCaddy(machine: string, ipv4: string): Promise<void> {
  for (const name of Object.values(sites)) {
    await removeNames(name);
    const record = { type: "A", name, content: ipv4, ttl: 300 };
    await cloudflare("", "-X", "POST", "--json", JSON.stringify(record));
  }
  await portsToCaddy(machine);
}

/** @param options what an install said that stands in braces at the file's top */
export async function giveWay(machine: string, options: string): Promise<void> {
  await on(
    machine,
    `cat >${caddysFile}; systemctl reload caddy`,
    options + file("Caddyfile"),
  );
}

/** In Caddy's place, with Caddy's certificate, where clients are told by PROXY headers. */
export async function nginxInPlace(machine: string): Promise<void> {
  await on(
    machine,
    `systemctl stop caddy
     cp -P ${nginxFile} /root/nginx-default; rm ${nginxFile}
     cd /root; cp ${certificates}/${sites.dashboard}/${sites.dashboard}.crt dashboard.crt
     cp ${certificates}/${sites.dashboard}/${sites.dashboard}.key dashboard.key
     cat >${nginxFile}; systemctl start nginx`,
    file("nginx.conf"),
  );
}

export async function caddyAgain(machine: string): Promise<void> {
  await on(
    machine,
    `systemctl stop nginx; rm /root/dashboard.*; mv /root/nginx-default ${nginxFile}; systemctl start caddy`,
  );
}

/** As it is before it gives way. */
export async function portsToCaddy(machine: string): Promise<void> {
  await on(
    machine,
    `cat >${caddysFile}; systemctl --quiet enable caddy; systemctl restart caddy`,
    file("Caddyfile"),
  );
}
