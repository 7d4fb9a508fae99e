/** The web server that a server has on 443 and 80 before anything of ours is there. */
import { cloudflare } from "../internet.ts";
import { labExec } from "../lab.ts";
import { removeNames } from "./names.ts";

/** Its two sites; each gets its certificate by one of the challenges that ask the server itself. */
export const sites = {
  dashboard: "dashboard.daytona.defikit.net",
  api: "api.daytona.defikit.net",
} as const;

export const otherSites = { https: "127.0.0.1:8443", http: "127.0.0.1:8080" };

/** As Debian's packages of Caddy and nginx take them. */
const caddyfile = `
${sites.dashboard} {
  tls { issuer acme {
    dir https://acme.internal:14000/dir
    disable_tlsalpn_challenge
  } }
  respond "dashboard, asked by {remote_host}"
}
${sites.api} {
  tls { issuer acme {
    dir https://acme.internal:14000/dir
    disable_http_challenge
  } }
  respond "api"
}
`.replaceAll(/\{ issuer acme \{([^}]*)\} \}/g, "{\n issuer acme {$1}\n }");
const file = "/etc/caddy/Caddyfile";
const nginxFile = "/etc/nginx/sites-enabled/default";
const certificates = "/var/lib/caddy/.local/share/caddy/certificates";

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
  await on(
    machine,
    `cp ${file} /root/Caddyfile; cat >${file}; systemctl start caddy`,
    caddyfile,
  );
}

/** @param options what an install said that stands in braces at the file's top */
export async function giveWay(machine: string, options: string): Promise<void> {
  await on(
    machine,
    `cat >${file}; systemctl reload caddy`,
    options + caddyfile,
  );
}

/** Without certificates, so that it must have new ones. */
export async function forgetCertificates(machine: string): Promise<void> {
  await on(
    machine,
    `systemctl stop caddy; rm -r ${certificates}; systemctl start caddy`,
  );
}

/** In Caddy's place, with Caddy's certificate, where clients are told by PROXY headers. */
export async function nginxInPlace(machine: string): Promise<void> {
  await on(
    machine,
    `systemctl stop caddy
     cp -P ${nginxFile} /root/nginx-default; rm ${nginxFile}
     cd /root; cp ${certificates}/*/${sites.dashboard}/${sites.dashboard}.crt dashboard.crt
     cp ${certificates}/*/${sites.dashboard}/${sites.dashboard}.key dashboard.key
     cat >${nginxFile}; systemctl start nginx`,
    `server {
       listen 127.0.0.1:8443 ssl proxy_protocol;
       listen 127.0.0.1:8080 proxy_protocol;
       server_name ${sites.dashboard};
       ssl_certificate /root/dashboard.crt;
       ssl_certificate_key /root/dashboard.key;
       return 200 "nginx, asked by $proxy_protocol_addr";
     }`,
  );
}

export async function caddyAgain(machine: string): Promise<void> {
  await on(
    machine,
    `systemctl stop nginx; rm /root/dashboard.*; mv /root/nginx-default ${nginxFile}; systemctl start caddy`,
  );
}

/** As it was before it gave way. */
export async function portsToCaddy(machine: string): Promise<void> {
  await on(machine, `cat >${file}; systemctl restart caddy`, caddyfile);
}
