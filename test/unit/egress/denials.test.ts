import { expect, test } from "vitest";
import { journalEntries } from "../../../scripts/deployments/journal.ts";
import { denialsOf, grouped } from "../../../scripts/egress/denials.ts";

const line = (unit: string, message: unknown, seconds = 1_795_617_613) =>
  JSON.stringify({
    __REALTIME_TIMESTAMP: `${String(seconds)}007551`,
    _SYSTEMD_UNIT: unit,
    MESSAGE: typeof message === "string" ? message : JSON.stringify(message),
  });
const proxy = (row: object) =>
  line("daytona-gateway.service", { client: "172.20.0.2", ...row });
const resolver = (message: string) =>
  line("daytona-gateway-resolver.service", message);
const firewall = (row: object) =>
  line("daytona-gateway-log.service", {
    "oob.prefix": "egress refused",
    src_ip: "172.20.0.2",
    ...row,
  });

test.each([
  [
    proxy({
      kind: "http",
      host: "openrouter.ai",
      verdict: "path_not_allowed",
      method: "GET",
      path: "/credits",
      rule: "https://openrouter.ai/api/v1/*",
    }),
    ["proxy", "GET openrouter.ai/credits", "path_not_allowed"],
  ],
  [
    proxy({ kind: "tls", host: "example.org", verdict: "host_not_allowed" }),
    ["proxy", "example.org", "host_not_allowed"],
  ],
  [
    resolver(
      "[1795617613] unbound[20780:0] info: . always_nxdomain 172.20.0.2@55028 example.org. A IN",
    ),
    ["resolver", "example.org A", "name_not_allowed"],
  ],
  [
    resolver(
      "[1] unbound[1:0] info: api.github.com. static 172.20.0.2@5 c2VjcmV0.api.github.com. A IN",
    ),
    ["resolver", "c2VjcmV0.api.github.com A", "name_not_allowed"],
  ],
  [
    resolver(
      "[1] unbound[1:0] info: api.github.com. static 172.20.0.2@5 api.github.com. TXT IN",
    ),
    ["resolver", "api.github.com TXT", "type_not_answered"],
  ],
  [
    resolver(
      "[1795640585] unbound[11853:0] notice: ip_ratelimit exceeded 172.20.0.2 200 example.org. IN A",
    ),
    ["resolver", "example.org A", "rate_limit"],
  ],
  [
    firewall({ dest_ip: "1.1.1.1", dest_port: 443, "ip.protocol": 6 }),
    ["firewall", "1.1.1.1 tcp 443", "address_not_allowed"],
  ],
  [
    firewall({ dest_ip: "1.1.1.1", "ip.protocol": 1 }),
    ["firewall", "1.1.1.1 icmp", "address_not_allowed"],
  ],
  [
    firewall({ dest_ip: "1.1.1.1", "ip.protocol": 47 }),
    ["firewall", "1.1.1.1 protocol 47", "address_not_allowed"],
  ],
])("%s", (text, [by, wanted, reason]) => {
  expect(denialsOf(journalEntries(text))).toEqual([
    {
      time: 1_795_617_613_007,
      sandbox: "172.20.0.2",
      rule: expect.any(String) as string,
      by,
      wanted,
      reason,
    },
  ]);
});

test.each([
  proxy({ kind: "tls", host: "api.github.com", verdict: "allowed" }),
  proxy({ kind: "tls", host: "example.org", verdict: "learnt" }),
  proxy({ kind: "http", host: "openrouter.ai", verdict: "learnt" }),
  resolver("[1] unbound[1:0] info: . redirect 172.20.0.2@5 example.org. A IN"),
  proxy({ kind: "connection", host: "openrouter.ai", verdict: "failed" }),
  line("daytona-gateway.service", "Proxy inspector stopped"),
  resolver(
    "[1] unbound[1:0] info: api.github.com. static 172.20.0.2@5 api.github.com. AAAA IN",
  ),
  firewall({ "oob.prefix": "of somebody else", dest_ip: "1.1.1.1" }),
  // Bytes that are no text.
  JSON.stringify({
    __REALTIME_TIMESTAMP: "1",
    _SYSTEMD_UNIT: "daytona-gateway.service",
    MESSAGE: [255, 254],
  }),
  "-- No entries --",
  "",
])("is no refusal: %s", (text) => {
  expect(denialsOf(journalEntries(text))).toEqual([]);
});

test("a row with bytes that are no text is one all the same", () => {
  const row =
    '{"kind":"http","client":"172.20.0.2","host":"h","verdict":"path_not_allowed","method":"GET","path":"/x\xff"}';
  const text = JSON.stringify({
    __REALTIME_TIMESTAMP: "1",
    _SYSTEMD_UNIT: "daytona-gateway.service",
    MESSAGE: [...Buffer.from(row, "latin1")],
  });
  expect(denialsOf(journalEntries(text)).map(({ wanted }) => wanted)).toEqual([
    "GET h/x\ufffd",
  ]);
});

test("what is the same but for its time is one group, the most frequent first", () => {
  const row = { kind: "tls", verdict: "host_not_allowed" };
  const of = (host: string, seconds: number) =>
    line(
      "daytona-gateway.service",
      { client: "172.20.0.2", ...row, host },
      seconds,
    );
  const journal = [
    of("a.example", 30),
    of("b.example", 10),
    of("b.example", 20),
  ];
  expect(
    grouped(denialsOf(journalEntries(journal.join("\n")))).map(
      ({ wanted, count, last }) => [wanted, count, Math.floor(last / 1000)],
    ),
  ).toEqual([
    ["b.example", 2, 20],
    ["a.example", 1, 30],
  ]);
});
