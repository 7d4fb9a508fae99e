/**
 * The gateway's live state: what a change of rules does to who is connected,
 * where an allowed name may lead, and who repairs what others break.
 *
 * @module-tag gateway
 */
import { afterEach, describe, expect, test } from "vitest";
import {
  complaint,
  gateway,
  journalFromNow,
  keepRules,
  machine,
  putRules,
  request,
  rule,
  sandbox,
  statusOf,
  trustAgain,
} from "./gateway-rules.ts";
import { askOnOneConnection } from "./gateway-sandbox-program.ts";
import { inLab } from "./lab.ts";
import { moveName, nameOf, removeNames } from "./leading-names.ts";
import { openStream } from "./sandbox-stream.ts";

/** Addresses that HAProxy has looked up, and until when each serves. */
const addresses = "/var/lib/daytona-edge/gateway/maps/addresses.map";
const known = (command: string) =>
  `echo '${command}' | socat - /run/daytona-gateway/haproxy.sock`;

keepRules();
afterEach(() => rule(request));

describe("where an allowed name leads", () => {
  afterEach(removeNames);

  // At the first a web server does answer: only the guard is in between.
  test.each(["198.18.0.2", "127.0.0.1", "169.254.20.1", "172.20.0.3"])(
    "to %s: refused, spliced or inspected",
    async (address) => {
      const host = await nameOf(address);
      const log = await journalFromNow("--identifier=daytona-gateway-log");
      await rule([...request, `https://${host}/*`]);
      expect(await statusOf(`https://${host}/`, "-k")).toMatch(/000$/);
      await rule([...request, { url: `https://${host}/*`, inspect: true }]);
      const answer = await sandbox(`curl -sSk --max-time 60 https://${host}/`);
      expect(answer).toContain("address_refused");
      const refusals = async () =>
        (await log())
          .split("\n")
          .filter((row) => row.includes(host))
          .filter((row) => row.includes('"verdict": "address_refused"'));
      await expect
        .poll(async () => (await refusals()).length)
        .toBeGreaterThanOrEqual(2);
    },
  );

  test("to a public address of the gateway itself: refused as well", async () => {
    const own = "203.0.113.120";
    const host = await nameOf(own);
    await machine(
      `ip address add ${own}/32 dev lo; systemctl restart daytona-gateway`,
    );
    try {
      await rule([...request, `https://${host}/*`]);
      expect(await statusOf(`https://${host}/`, "-k")).toMatch(/000$/);
      await rule([...request, { url: `https://${host}/*`, inspect: true }]);
      expect(
        await sandbox(`curl -sSk --max-time 60 https://${host}/`),
      ).toContain("address_refused");
    } finally {
      await machine(
        `ip address delete ${own}/32 dev lo; systemctl restart daytona-gateway`,
      );
    }
  });

  test("an address is not asked for again at once, and soon after", async () => {
    const host = await nameOf("203.0.113.12");
    await rule([...request, { url: `https://${host}/*`, inspect: true }]);
    const ask = () => sandbox(`curl -sSk --max-time 60 https://${host}/`);
    const seconds = async () => Number(await machine("date +%s"));
    const asked = await seconds();
    expect(await ask()).toContain("egress_unreachable");
    const answered = await seconds();
    // It serves for 5 s, which a slow machine needs for the next lines alone:
    // so until when is read, and put off meanwhile.
    const shown = await machine(known(`show map ${addresses}`));
    const [, until = ""] =
      new RegExp(` ${host} 203\\.0\\.113\\.12@(\\d+)$`, "m").exec(shown) ?? [];
    expect(Number(until)).toBeGreaterThanOrEqual(asked + 5);
    expect(Number(until)).toBeLessThanOrEqual(answered + 5);
    const serveUntil = (time: string) =>
      machine(known(`set map ${addresses} ${host} 203.0.113.12@${time}`));
    await serveUntil(String(answered + 600));
    await moveName("127.0.0.1");
    await machine("systemctl restart daytona-gateway-recursor");
    expect(await ask()).toContain("egress_unreachable");
    await serveUntil(until);
    await expect.poll(seconds).toBeGreaterThan(Number(until));
    expect(await ask()).toContain("address_refused");
  });

  test("to a public host: through, but only with a certificate for the name", async () => {
    const host = await nameOf("203.0.113.20");
    await rule([...request, `https://${host}/*`]);
    // Spliced, it is the client who sees the wrong certificate.
    expect(await sandbox(`curl -sS --max-time 60 https://${host}/`)).toMatch(
      /no alternative certificate subject name|SSL/,
    );
    expect(await statusOf(`https://${host}/`, "-k")).toBe("200");
    await rule([...request, { url: `https://${host}/*`, inspect: true }]);
    expect(await sandbox(`curl -sSk --max-time 60 https://${host}/`)).toContain(
      "egress_unreachable",
    );
  });
});

describe("a change of rules", () => {
  test("narrows at once what a standing connection may ask for", async () => {
    await trustAgain();
    const statuses = await askOnOneConnection(
      ["openrouter.ai", "/api/v1/models"],
      "around",
      () => rule(["https://openrouter.ai/api/v1/echo"]),
    );
    expect(statuses).toEqual(["200", "403"]);
  });

  test.each([
    ["spliced, removed", "api.github.com", "/sse", request.slice(0, 2)],
    [
      "spliced, now inspected",
      "api.github.com",
      "/sse",
      [
        ...request.slice(0, 2),
        { url: "https://api.github.com/*", inspect: true },
      ],
    ],
    [
      "inspected, narrowed",
      "openrouter.ai",
      "/api/v1/sse",
      ["https://openrouter.ai/api/v1/models", ...request.slice(1)],
    ],
    [
      "inspected, another method",
      "openrouter.ai",
      "/api/v1/sse",
      [
        { url: "https://openrouter.ai/api/v1/*", methods: ["POST"] },
        ...request.slice(1),
      ],
    ],
  ] as [string, string, string, unknown[]][])(
    "cuts streams that it no longer covers, and only those: %s",
    async (_, host, path, rules) => {
      await trustAgain();
      const cut = await openStream(`https://${host}${path}`);
      const lives = await openStream("https://api.anthropic.com/v1/sse");
      await rule(rules);
      // 28 is curl's own limit.
      expect(await cut.ended).toMatch(/curl: \((?!28\))\d+\).* 200$/s);
      expect(await lives.stop()).toBe("alive");
    },
  );

  test.each([
    ["spliced", "https://api.github.com/zen", request.slice(0, 2)],
    ["inspected", "https://openrouter.ai/api/v1/models", request.slice(1)],
  ])(
    "cuts what is still connecting, and nothing connects again: %s",
    async (_, url, rules) => {
      await trustAgain();
      // Of each real host the first packet is lost, until the rule is gone.
      await machine(
        `nft 'table ip silence { chain output { type filter hook output priority 0; tcp flags & (syn | ack) == syn tcp dport 443 oifname != "lo" drop; }; }'`,
      );
      try {
        const asked = statusOf(url);
        await expect
          .poll(() => machine("ss -Htn state syn-sent dport = 443"))
          .not.toBe("");
        await rule(rules);
        await machine("nft delete table ip silence");
        expect(await asked).toMatch(/(000|503)$/);
      } finally {
        await machine("nft destroy table ip silence");
      }
    },
  );

  test("cuts what one that failed halfway had opened", async () => {
    await rule(request.slice(0, 2));
    await machine("systemctl stop daytona-gateway-resolver");
    try {
      await putRules(request);
      await expect.poll(complaint).toMatch(/the sandboxes' resolver/);
      const opened = await openStream(
        "https://api.github.com/sse",
        `--resolve api.github.com:443:${gateway}`,
      );
      await putRules(request.slice(0, 2));
      expect(await opened.ended).toMatch(/curl: \((?!28\))\d+\).* 200$/s);
    } finally {
      await machine("systemctl start daytona-gateway-resolver");
    }
  });

  test("of a thousand hosts is in force within seconds, and gone again", async () => {
    const hosts = Array.from(
      { length: 1000 },
      (_, index) => `https://host-${String(index)}.many.example.com/*`,
    );
    const started = performance.now();
    await rule([...request, ...hosts]);
    const seconds = (performance.now() - started) / 1000;
    console.log(`a thousand hosts in force after ${seconds.toFixed(1)} s`);
    const answer = "dig +short +time=60 +tries=1 host-999.many.example.com";
    expect((await sandbox(answer)).trim()).toBe(gateway);
    await rule(request);
    expect((await sandbox(answer)).trim()).toBe("");
  });

  test("that inspects another host is trusted after the documented command", async () => {
    await rule([
      "https://openrouter.ai/api/v1/*",
      { url: "https://api.github.com/zen", inspect: true },
    ]);
    await trustAgain();
    expect(await statusOf("https://openrouter.ai/api/v1/models")).toBe("200");
    expect(await statusOf("https://api.github.com/zen")).toBe("200");
    expect(await statusOf("https://api.github.com/user")).toBe("403");
  });
});

describe("what others do to the machine", () => {
  test("a container's port 443 published on every address takes nothing", async () => {
    await machine(
      `nft 'table ip published { chain prerouting { type nat hook prerouting priority dstnat; fib daddr type local tcp dport 443 dnat to 172.20.0.3:3000; }; }'`,
    );
    try {
      expect(await statusOf("https://api.github.com/zen")).toBe("200");
    } finally {
      await machine("nft delete table ip published");
    }
  });

  test("a neighbour that routes to the gateway's address is refused", async () => {
    const { stdout } = await inLab([
      ...["sh", "-c"],
      `ip route replace ${gateway} via 198.18.0.3
       curl -sS -m 60 http://${gateway}/ca.pem 2>&1
       curl -sSk -m 60 --resolve openrouter.ai:443:${gateway} https://openrouter.ai/api/v1/models 2>&1
       ip route delete ${gateway}`,
    ]);
    // 7: refused at once. A probe that hangs would have tried nothing.
    expect(stdout.match(/curl: \(\d+\)/g)).toEqual(["curl: (7)", "curl: (7)"]);
    expect(await sandbox(`curl -sS http://${gateway}/ca.pem`)).toContain(
      "BEGIN CERTIFICATE",
    );
  });

  test("the agent starts anew: what is served is what lies on the disk", async () => {
    await machine(
      "systemctl stop daytona-gateway-agent; rm /var/lib/daytona-edge/gateway/leaves/openrouter.ai.pem; systemctl start daytona-gateway-agent",
    );
    const serial = "openssl x509 -noout -serial";
    const disk = await machine(
      `${serial} -in /var/lib/daytona-edge/gateway/leaves/openrouter.ai.pem`,
    );
    await expect
      .poll(() =>
        machine(
          `openssl s_client -connect ${gateway}:443 -servername openrouter.ai </dev/null 2>/dev/null | ${serial}`,
        ),
      )
      .toBe(disk);
  });
});

describe("packets by hand", () => {
  /** Of the firewall and of the sandboxes' resolver. */
  const refusing = ["log", "resolver"].map(
    (part) => `--unit=daytona-gateway-${part}`,
  );

  test("IPv6 with a neighbour that root wrote down is refused too", async () => {
    const journal = await journalFromNow(...refusing);
    const mac = (await machine("cat /sys/class/net/br-sandbox/address")).trim();
    const result = await sandbox(
      `ip -6 neigh replace 2001:db8:20::1 lladdr ${mac} dev eth0
       curl -sSk -g --max-time 3 -o /dev/null 'https://[2001:db8:203::20]/'; echo "out $?"
       curl -sS -g --max-time 3 -o /dev/null 'http://[2001:db8:20::1]:3000/api/health'; echo "host $?"
       ip -6 neigh del 2001:db8:20::1 dev eth0`,
    );
    // 28: no answer, which would go to whatever source root chooses.
    expect(result).toContain("out 28");
    expect(result).toContain("host 28");
    // A probe that hangs may have tried nothing; these came as far as the wall.
    for (const asked of ["2001:db8:203::20", "2001:db8:20::1"]) {
      await expect.poll(journal).toContain(`"dest_ip": "${asked}"`);
    }
  });

  test("another sandbox with a neighbour that root wrote down", async () => {
    const result = await sandbox(
      "ip neigh replace 172.20.0.3 lladdr 02:42:ac:14:00:03 dev eth0; curl -sS --max-time 3 http://172.20.0.3:3000/; echo; ip neigh del 172.20.0.3 dev eth0; ip route add 172.20.0.3/32 via 172.20.0.1; curl -sS --max-time 3 http://172.20.0.3:3000/; ip route del 172.20.0.3/32",
    );
    expect(result.match(/curl: \((7|28)\)/g)).toHaveLength(2);
  });

  test("an address that is no sandbox's gets no answer and no hearing", async () => {
    const journal = await journalFromNow(...refusing);
    await sandbox(
      // Its ARP says that address as well: the server is known before.
      "ping -c 1 -W 1 172.20.0.1; ip address add 10.9.9.9/32 dev eth0; dig -b 10.9.9.9 +time=1 +tries=3 @169.254.20.1 api.github.com; ip address del 10.9.9.9/32 dev eth0",
    );
    await expect
      .poll(journal)
      .toContain('"src_ip": "10.9.9.9", "dest_ip": "169.254.20.1"');
    expect(await journal()).not.toContain("10.9.9.9@");
  });

  test("each refusal is a row with both addresses", async () => {
    const journal = await journalFromNow(...refusing);
    await sandbox(
      "curl -sk --max-time 60 https://203.0.113.99:8443/; echo x | nc -u -w 1 203.0.113.98 5353; dig +time=60 +tries=1 c2VjcmV0.example.org",
    );
    const drops = async () =>
      (await journal())
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const dropped of [
      { dest_ip: "203.0.113.99", dest_port: 8443 },
      { dest_ip: "203.0.113.98", dest_port: 5353 },
    ]) {
      await expect.poll(drops).toContainEqual(
        expect.objectContaining({
          ...dropped,
          src_ip: expect.stringMatching(/^172\.20\./) as string,
          "oob.prefix": "egress refused",
        }),
      );
    }
    await expect
      .poll(journal)
      .toMatch(
        /always_nxdomain 172\.20\.\d+\.\d+@\d+ c2VjcmV0\.example\.org\. A IN/,
      );
  });
});
