/**
 * Every known way around an egress list, tried as root inside a sandbox of the
 * real gateway. A row holds when the attempt got an application's own "no", the
 * log says so, and nothing arrived at a forbidden host: its packets are counted
 * where they would arrive.
 *
 * @module-tag gateway
 */
import Table from "cli-table3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { edgeAddresses } from "../../../scripts/lab/machine-addresses.ts";
import { journalEntries } from "../../../scripts/deployments/journal.ts";
import { denialUnits } from "../../../scripts/egress/denials.ts";
import { webHosts } from "../../../scripts/lab/internet/hosts.ts";
import {
  type Refusals,
  refusalsOf,
} from "../../../scripts/verify/bypass/refusals.ts";
import { liveRows } from "../../../scripts/verify/bypass/rows.ts";
import { bypassTarget } from "../../../scripts/verify/bypass/target.ts";
import { tryRow } from "../../../scripts/verify/bypass/try-row.ts";
import {
  clientHello,
  padding,
  records,
} from "../../../scripts/verify/client-hello.ts";
import {
  closeRoad,
  gateway,
  journalFromNow,
  keepRules,
  machine,
  openRoad,
  request,
  rule,
  sandbox,
  statusOf,
  trustAgain,
  write,
} from "../gateway-rules.ts";
import { runInSandbox } from "../gateway-sandbox-program.ts";
import { nameOf, removeNames } from "../leading-names.ts";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SECOND_SANDBOX,
  labCurl,
  sandboxExec,
} from "../lab.ts";
import { addSandbox, removeSandbox } from "../own-sandbox.ts";
import { openStream } from "../sandbox-stream.ts";
import { forbidden, labRows } from "./lab-rows.ts";
import {
  arrivedText,
  forbiddenPackets,
  forget,
  unwatch,
  watch,
} from "./watch.ts";

interface Verdict {
  readonly number: number;
  readonly attempt: string;
  readonly verdict: string;
}
const verdicts: Verdict[] = [];
const held = (number: number, attempt: string, note = "refused and logged") => {
  verdicts.push({ number, attempt, verdict: note });
};

const addressOf = async (id: string) =>
  (await sandboxExec(id, "hostname -I")).result.split(" ")[0] ?? "";

/** What "npm run verify -- --bypass" tries, and one place more. */
const rows = [
  ...liveRows(
    await bypassTarget({
      rules: parseEgressRules(request).rules,
      gateway,
      forbidden: { ...webHosts.forbidden, host: webHosts.forbidden.name },
      places: [
        ...["198.18.0.3:3000", "198.18.0.3:4000", "172.20.0.1:3000"],
        ...["8404", "22"].map((port) => `${gateway}:${port}`),
      ],
      otherSandbox: await addressOf(SECOND_SANDBOX),
      nameServers: ["198.18.0.2", "198.18.0.3"],
      edge: {
        ipv4: edgeAddresses.edge.ipv4,
        host: `${FIRST_SANDBOX}-3000.${DOMAIN}`,
      },
      addressOf: () => Promise.resolve(webHosts.anthropic.ipv4),
    }),
  ),
  ...labRows,
];
let refusals: Refusals;

/** Waits for a row: ulogd writes it up to a second after the packet. */
async function refusal(wanted: RegExp): Promise<void> {
  await expect
    .poll(refusals, { interval: 300 })
    .toContainEqual(expect.stringMatching(wanted));
}

keepRules();

beforeAll(async () => {
  refusals = refusalsOf(await addressOf(FIRST_SANDBOX), async (since) => {
    const units = denialUnits.map((unit) => `--unit=${unit}`).join(" ");
    return journalEntries(
      await machine(
        `journalctl --sync; journalctl --no-pager --output=json --since=@${String(Math.floor(since.getTime() / 1000))} ${units}`,
      ),
    );
  });
  await forget();
  await watch();
});

afterAll(async () => {
  await unwatch();
  const table = new Table({
    head: ["row", "attempt", "verdict"],
    style: { head: [], border: [], compact: true },
    colAligns: ["right"],
  });
  verdicts.sort((a, b) => a.number - b.number);
  for (const { number, attempt, verdict } of verdicts) {
    table.push([number, attempt, verdict]);
  }
  console.log(
    `${table.toString()}\n${String(verdicts.length)} of 50 rows held`,
  );
});

test.each(rows.map((row) => [row.number, row.attempt, row] as const))(
  "%i %s",
  async (number, attempt, row) => {
    const execute = (line: string) => sandboxExec(FIRST_SANDBOX, line);
    expect(await tryRow(row, execute, refusals)).toMatchObject({ ok: true });
    expect(await forbiddenPackets()).toBe(0);
    held(number, attempt, row.note);
  },
);

describe("hellos by hand", () => {
  test("one of a browser with a large key passes", async () => {
    const large = records(
      clientHello({ names: ["api.github.com"], before: [padding(3000)] }),
    );
    const [answer] = await runInSandbox<string[]>(
      "gateway-hellos.ts",
      JSON.stringify([[large.toString("base64")]]),
    );
    expect(answer).toMatch(/^160303/);
  });

  test("11 another host in a second stream of HTTP/2", async () => {
    const statuses = await runInSandbox<number[]>(
      "gateway-streams.ts",
      "openrouter.ai",
      "example.com",
      "openrouter.ai",
    );
    expect(statuses).toEqual([200, 403, 200]);
    await refusal(/^proxy GET example\.com\S* host_mismatch/);
    held(11, "another host in a second stream of HTTP/2");
  });

  test("45 a thousand hellos that never end: others are served, none is let through", async () => {
    // Those that the gateway closes are begun anew, until the others were served.
    // They are as many as one sandbox may have, so the others are another one's.
    const file = `/tmp/hellos-${crypto.randomUUID()}`;
    const attempt = sandbox(
      `python3 - <<'PY'
import os, select, socket, time
held, begun, poll, end = {}, 0, select.poll(), time.monotonic() + 240
while not os.path.exists("${file}") and time.monotonic() < end:
  for number, _ in poll.poll(100):
    poll.unregister(number); held.pop(number).close()
  while len(held) < 1000:
    try:
      s = socket.create_connection(("${gateway}", 443), 60); s.send(b"\\x16\\x03\\x01")
    except OSError:
      continue
    held[s.fileno()] = s; poll.register(s, select.POLLIN); begun += 1
  open("${file}.held", "w").close()
print(begun)
PY
rm -f ${file} ${file}.held`,
    );
    const allHeld = sandbox(
      `for _ in $(seq 1200); do if [ -e ${file}.held ]; then echo held; exit; fi; sleep 0.1; done`,
    );
    expect(await Promise.race([allHeld, attempt])).toBe("held");
    const others = (url: string) => statusOf(url, "", SECOND_SANDBOX);
    expect(await others("https://api.github.com/zen")).toBe("200");
    expect(await others("https://example.org/")).toMatch(/resolve/);
    await sandbox(`touch ${file}`);
    expect(Number(await attempt)).toBeGreaterThanOrEqual(1000);
    await refusal(/^proxy {2}hello_incomplete$/);
    held(
      45,
      "a thousand hellos that never end",
      "closed after 5 s, others served",
    );
  });
});

describe("credentials", () => {
  const github = "ghp_0123456789abcdefghij";
  beforeAll(async () => {
    await rule(
      [
        {
          url: "https://api.github.com/*",
          credential: { header: "Authorization", secret: "github" },
          clientCredential: "deny",
        },
        "https://openrouter.ai/api/v1/*",
      ],
      { github },
    );
    await trustAgain();
  });
  afterAll(async () => {
    await rule(request);
  });

  test("36 a stranger's account at an allowed host", async () => {
    expect(
      await statusOf(
        "https://api.github.com/echo",
        "-H 'Authorization: Bearer strangers'",
      ),
    ).toBe("403");
    await refusal(/^proxy GET api\.github\.com\/echo client_credential/);
    held(36, "a stranger's account at an allowed host");
  });

  test("37 the injected key, read back", async () => {
    const answer = await sandbox(
      "curl -sSi https://api.github.com/echo; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'",
    );
    expect(answer).toContain('"authorization":"****');
    expect(answer).not.toContain(github);
    held(37, "the injected key, read back", "stars in its place");
  });

  test("38 a key for another allowed host", async () => {
    const answer = await sandbox("curl -sS https://openrouter.ai/api/v1/echo");
    expect(answer).not.toMatch(/authorization/i);
    held(38, "a key for another allowed host", "not sent there");
  });
});

describe("what changes meanwhile", () => {
  afterAll(async () => {
    await rule(request);
    await trustAgain();
  });

  test("26 an allowed name that leads to a private address", async () => {
    const answers = [];
    try {
      for (const address of ["169.254.169.254", "10.0.0.1", "198.18.0.3"]) {
        const url = `https://${await nameOf(address)}/*`;
        await rule([...request, { url, inspect: true }]);
        answers.push(
          await sandbox(`curl -sSk --max-time 60 ${url.slice(0, -1)}`),
        );
      }
    } finally {
      await removeNames();
    }
    expect(answers).toEqual(
      Array<unknown>(3).fill(expect.stringContaining("address_refused")),
    );
    expect(await forbiddenPackets()).toBe(0);
    held(26, "an allowed name that leads to a private address");
  });

  test("43 a stream that was opened before its rule was narrowed", async () => {
    await rule(request);
    await trustAgain();
    const { ended } = await openStream("https://api.github.com/sse");
    await rule(request.slice(0, 2));
    expect(await ended).toMatch(/curl: \((18|35|52|56|92)\)/);
    held(43, "a stream opened before its rule was narrowed", "cut");
  });

  test("44 a new sandbox, from its first moment", async () => {
    await rule(request);
    const id = await addSandbox();
    try {
      const { result } = await sandboxExec(
        id,
        `curl -sS -k --max-time 4 https://${forbidden}/`,
      );
      expect(result).toMatch(/curl: \((7|28)\)/);
    } finally {
      await removeSandbox(id);
    }
    held(44, "a new sandbox, from its first moment");
  });

  test("46 an empty, broken or partial state", async () => {
    await write(["egress-rules.json", '{"rules":[]}']);
    expect(await statusOf("https://api.github.com/zen")).not.toMatch(/200$/);
    await rule(request);
    await machine(
      `cd /var/lib/daytona-edge/store; cp -p egress-rules.json /run/kept; head -c 40 /run/kept >egress-rules.json
       for _ in $(seq 1200); do
         if grep -q refused /run/daytona-gateway/status.json; then break; fi
         sleep 0.1
       done
       grep -q refused /run/daytona-gateway/status.json; cp -p /run/kept egress-rules.json; rm /run/kept`,
    );
    expect(await statusOf("https://api.github.com/zen")).toBe("200");
    expect(await statusOf("https://example.org/")).toMatch(/resolve/);
    held(
      46,
      "an empty, broken or partial state",
      "denied, or the last good one stays",
    );
  });
});

test("50 the edge as a proxy to the world", async () => {
  const asked = ["-o", "/dev/null", "-w", "%{http_code}", "--max-time", "60"];
  const plain = await labCurl([
    ...asked,
    ...["-x", "http://198.18.0.4:80", "http://example.org/"],
  ]);
  expect(plain.stdout).toBe("404");
  const tunnel = await labCurl([
    ...asked,
    ...["-x", "http://198.18.0.4:80", "https://example.org/"],
  ]);
  expect(tunnel.stdout).toBe("000");
  const named = await labCurl([
    ...asked,
    ...["-H", "X-Sandbox-Pod-IP: 203.0.113.20", "-H", "Host: example.org"],
    "https://83792513-cd9e-428f-99c0-63c63bc7739c-3000.sandbox.daytona.defikit.net/",
  ]);
  expect(named.stdout).toBe("404");
  held(50, "the edge as a proxy to the world");
});

describe("what no list can stop is seen", () => {
  test("48 and 49 data in an allowed request, and orders in its answer", async () => {
    const path = `/api/v1/echo?slow=${crypto.randomUUID()}`;
    const journal = await journalFromNow("--identifier=daytona-gateway-log");
    expect(await statusOf(`https://openrouter.ai${path}`)).toBe("200");
    const row = async () => {
      const rows = (await journal()).split("\n");
      const last = rows.findLast((it) => it.includes('"path": "/api/v1/echo"'));
      return JSON.parse(last ?? "{}") as unknown;
    };
    await expect.poll(row).toMatchObject({
      verdict: "allowed",
      client: expect.stringMatching(/^172\.20\./) as string,
      bytesIn: expect.any(Number) as number,
      bytesOut: expect.any(Number) as number,
    });
    const known =
      "a known limit: allowed, and each request is a row with its sizes";
    held(48, "data in an allowed request", known);
    held(49, "orders in an allowed answer", known);
  });
});

describe("the positive controls", () => {
  test("what is allowed came through meanwhile", async () => {
    for (const url of [
      "https://openrouter.ai/api/v1/models",
      "https://api.github.com/zen",
      "https://api.anthropic.com/v1/echo",
    ]) {
      expect(await statusOf(url)).toBe("200");
    }
  });

  test("nothing arrived that should not: no packet, no name, no request", async () => {
    expect(await forbiddenPackets()).toBe(0);
    const arrived = await arrivedText();
    expect(arrived).toContain("openrouter.ai");
    expect(arrived).not.toMatch(/smuggled|"b[0-9a-f]{8}\./);
  });

  test("the counter counts: without the firewall packets arrive", async () => {
    await openRoad();
    try {
      await sandbox(`curl -sS -k --max-time 60 https://${forbidden}/`);
      await expect.poll(forbiddenPackets).toBeGreaterThan(0);
    } finally {
      await closeRoad();
    }
  });
});
