/** Rows about requests to a host that is inspected. */
import { invented } from "../rule-checks.ts";
import { type Row, curl, denial, each, spoken } from "./row.ts";
import type { BypassTarget, InspectedHost } from "./target.ts";

export function requestRows(
  { gateway, forbidden }: BypassTarget,
  inspected: InspectedHost,
): Row[] {
  const { host, path, limit, hasWebSocket } = inspected;
  const url = `'https://${host}${path}'`;
  const get = (name: string) =>
    `GET ${path} HTTP/1.1\\r\\nHost: ${name}\\r\\n\\r\\n`;
  return [
    {
      number: 9,
      attempt: "domain fronting",
      command: each(
        ["", "--http1.1"].map(
          (version) => `${curl} ${version} -H 'Host: ${forbidden.host}' ${url}`,
        ),
      ),
      denied: denial,
      logged: [`proxy GET ${forbidden.host}${path} host_mismatch`],
    },
    {
      number: 10,
      attempt: "another host in the second request of a connection",
      command: spoken(gateway, host, get(host) + get(`2.${forbidden.host}`)),
      denied: /^[1-5][0-9]{2} 403 $/,
      logged: [`proxy GET 2.${forbidden.host}${path} host_mismatch`],
    },
    ...(limit ? [pathRow(host, limit)] : []),
    {
      number: 31,
      attempt: "a proxy's forms of request, inside",
      command: each([
        `${curl} --http1.1 --request-target http://${forbidden.host}/ https://${host}/`,
        `${curl} --http1.1 -X CONNECT --request-target ${forbidden.host}:443 https://${host}/`,
        `${curl} -X TRACE ${url}`,
      ]),
      denied: /^40[03]$/,
      logged: [`proxy TRACE ${host}${path} method`],
    },
    {
      number: 33,
      attempt: "an upgrade, and then anything",
      command: each(
        [...(hasWebSocket ? [] : ["websocket"]), "h2c", "raw"].map(
          (protocol) =>
            `${curl} --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: ${protocol}' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' ${url}`,
        ),
      ),
      denied: denial,
      logged: [`proxy GET ${host}${path} upgrade`],
    },
    {
      number: 39,
      attempt: "a client that trusts nobody, or one key only",
      command: [
        "--cacert /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt --capath /nowhere",
        "--pinnedpubkey sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      ]
        .map(
          (trust) => `curl -sS --max-time 30 ${trust} ${url} 2>&1 | head -n 1`,
        )
        .join("\n"),
      denied: /^curl: \((60|77|90)\)/,
      logged: [],
      note: "the client refuses, not the gateway: its row is of the handshake that failed",
    },
  ];
}

/** Paths that begin as an allowed one and mean another. */
function pathRow(
  host: string,
  { prefix, outside }: NonNullable<InspectedHost["limit"]>,
): Row {
  const canonical = [`${prefix}../${invented}`, `${prefix}%2e%2e/${invented}`];
  const ambiguous = [
    `${prefix}..%2f${invented}`,
    `${prefix}..;/${invented}`,
    `${prefix}..%5c${invented}`,
    `${prefix}%00`,
    `${prefix}%252e%252e/${invented}`,
  ];
  return {
    number: 30,
    attempt: "paths that mean another",
    command: each(
      [
        ...canonical,
        ...ambiguous,
        `${prefix.replaceAll("/", "//")}..//${invented}`,
      ].map((path) => `${curl} -g --path-as-is 'https://${host}${path}'`),
    ),
    denied: denial,
    logged: [
      `proxy GET ${host}${outside} path_not_allowed`,
      ...ambiguous.map((path) => `proxy GET ${host}${path} path_not_canonical`),
    ],
  };
}
