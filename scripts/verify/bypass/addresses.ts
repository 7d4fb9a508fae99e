/** Rows about where packets go, whatever the name was. */
import { type Row, curl, denial, each, quiet, unreached } from "./row.ts";
import type { BypassTarget } from "./target.ts";

export function addressRows(target: BypassTarget): Row[] {
  const { gateway, forbidden, allowed, inspected, edge } = target;
  const { host, ipv4, ipv6 } = forbidden;
  const toForbidden = `firewall ${ipv4} tcp 443 `;
  const [decimal, ...spellings] = spellingsOf(ipv4);
  return [
    {
      number: 2,
      attempt: "another proxy, or none, by curl's options",
      command: each([
        `NO_PROXY='*' ALL_PROXY=http://${ipv4}:8080 ${curl} --noproxy '*' https://${host}/`,
        `${curl} --connect-to ${host}:443:${ipv4}:443 https://${host}/`,
        `HTTPS_PROXY=http://${ipv4}:8080 ${curl} https://${host}/`,
      ]),
      denied: unreached,
      logged: [toForbidden, `firewall ${ipv4} tcp 8080 `],
    },
    {
      number: 3,
      attempt: "a client that dials by itself",
      command: each([
        `node -e 'require("https").get({host:"${ipv4}",servername:"${host}",rejectUnauthorized:false,agent:false},()=>console.log("reached")).on("error",e=>console.log(e.code))'`,
        `python3 -c 'import socket; socket.create_connection(("${ipv4}",443),20)'`,
      ]),
      denied: /ECONNREFUSED|ECONNRESET|ConnectionRefusedError|refused/,
      logged: [toForbidden],
    },
    {
      number: 4,
      attempt: "an address, without a name",
      command: each([
        `${curl} https://${ipv4}/`,
        `${curl} https://${gateway}/`,
      ]),
      denied: unreached,
      logged: [toForbidden, "proxy  no_name"],
    },
    {
      number: 5,
      attempt: "an address in another spelling",
      command: each([
        ...[decimal, ...spellings].map(
          (spelling) => `${curl} https://${spelling}/`,
        ),
        ...(inspected
          ? [
              `${curl} -H 'Host: ${decimal}' 'https://${inspected.host}${inspected.path}'`,
            ]
          : []),
      ]),
      denied: new RegExp(`${unreached.source}|${denial.source}`),
      logged: [
        toForbidden,
        ...(inspected
          ? [`proxy GET ${decimal}${inspected.path} host_mismatch`]
          : []),
      ],
    },
    {
      number: 19,
      attempt: "IPv6, mapped and translated addresses",
      command: each(
        [ipv6, `::ffff:${ipv4}`, `64:ff9b::${ipv4}`].map(
          (address) => `${curl} -g 'https://[${address}]/'`,
        ),
      ),
      denied: unreached,
      logged: [toForbidden],
      note: "refused; the mapped one is logged: without IPv6 of its own nothing else leaves a sandbox",
    },
    {
      number: 28,
      attempt: "neighbours: sandboxes, Daytona, the machine's own ports",
      command: each([
        ...[
          ...target.places,
          ...["3000", "2280"].map((port) => `${target.otherSandbox}:${port}`),
        ].map((place) => `${curl} http://${place}/`),
        `${curl} "http://$(ip route | awk '/^default/{print $3; exit}'):3000/"`,
      ]),
      denied: unreached,
      logged: target.places.map(
        (place) => `firewall ${place.replace(":", " tcp ")} `,
      ),
    },
    {
      number: 29,
      attempt: "back in by the edge's front door",
      command: `${curl} --resolve '*:443:${edge.ipv4}' https://${edge.host}/ ${quiet}`,
      denied: unreached,
      logged: [`firewall ${edge.ipv4} tcp 443 `],
    },
    ...(allowed ? allowedRows(target, allowed) : []),
  ];
}

function allowedRows(
  { gateway, forbidden }: BypassTarget,
  allowed: NonNullable<BypassTarget["allowed"]>,
): Row[] {
  const ports = ["22", "8443", "25"];
  return [
    {
      number: 6,
      attempt: "an allowed name at an attacker's address",
      command: `${curl} --resolve ${allowed.host}:443:${forbidden.ipv4} https://${allowed.host}/ ${quiet}`,
      denied: unreached,
      logged: [`firewall ${forbidden.ipv4} tcp 443 `],
    },
    {
      number: 17,
      attempt: "other ports of an allowed host",
      command: each(ports.map((port) => `nc -zvw 20 ${allowed.host} ${port}`)),
      denied: /refused/,
      logged: ports.map((port) => `firewall ${gateway} tcp ${port} `),
    },
    {
      number: 18,
      attempt: "QUIC",
      command: each(
        [gateway, allowed.ipv4].map(
          (address) =>
            `got=$(echo x | nc -u -w 1 ${address} 443 | head -c 1); echo "answer: $got"`,
        ),
      ),
      denied: /^answer: $/,
      logged: [gateway, allowed.ipv4].map(
        (address) => `firewall ${address} udp 443 `,
      ),
    },
  ];
}

/** The same IPv4 address as inet_aton(3) reads it too. */
function spellingsOf(ipv4: string): [string, ...string[]] {
  const octets = ipv4.split(".").map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  return [
    String(whole),
    `0x${whole.toString(16)}`,
    octets.map((octet) => `0${octet.toString(8)}`).join("."),
    [a, b, c * 256 + d].join("."),
  ];
}
