/**
 * Upstream `direct`: the edge resolves the sandbox itself, and an attacker may answer.
 *
 * @module-tag edge
 */
import { execa } from "execa";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { rowOf } from "./edge-health.ts";
import { FIRST_SANDBOX, SIGNED_DOMAIN, labCurl, sandboxExec } from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";

/** Names of sandboxes, and where the attacker lets them lead. */
const evil = {
  "the cloud's metadata": "169.254.169.254",
  "the edge itself": "127.0.0.1",
  "this host": "0.0.0.0",
  "another network": "198.18.0.3",
  "a public address": "203.0.113.20",
  "metadata, as a mapped IPv6 address": "::ffff:169.254.169.254",
  "the edge itself, by IPv6": "::1",
  "the edge itself, as a mapped IPv6 address": "::ffff:127.0.0.1",
  "metadata, by IPv6": "fd00:ec2::254",
  "a link-local address": "fe80::1",
  "everywhere, by IPv6": "::",
  "an address of the edge's machine": spareEdge.ipv4,
  "an address of the edge's machine, mapped": `::ffff:${spareEdge.ipv4}`,
  "an IPv6 address of the edge's machine": spareEdge.ipv6,
  "a sandbox, by 6to4": "2002:ac14:5::1",
  "a sandbox, IPv4-compatible": "::172.20.0.5",
};
const idOf = (index: number) =>
  `11111111-2222-4333-8444-${String(index).padStart(12, "0")}`;
const rebinding = idOf(99);
const byIpv6 = idOf(98);
const byBoth = idOf(97);
const byLateAnswer = idOf(96);
const operator6 = "2001:db8:198:18::1";
let stopResolver: () => void;
let stopApplication: () => void;

beforeAll(async () => {
  const { result } = await sandboxExec(FIRST_SANDBOX, "hostname -I");
  const address = result.split(" ")[0] ?? "";
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/sandbox-dns.ts"),
    "198.18.0.1",
    "5300",
    `${FIRST_SANDBOX}=${address}`,
    `${rebinding}=${address},169.254.169.254`,
    `${byIpv6}=${operator6}`,
    `${byBoth}=${address},${operator6}`,
    `${byLateAnswer}=${address}~800`,
    ...Object.values(evil).map((ip, index) => `${idOf(index)}=${ip}`),
  ]);
  const resolver = execa(file, args, { reject: false });
  stopResolver = () => {
    resolver.kill();
  };
  await new Promise((resolve) => resolver.stdout.once("data", resolve));
  // The lab's sandboxes have no IPv6.
  const [node, ...program] = insideLab([
    process.execPath,
    "-e",
    `require("node:http").createServer((_, answer) => answer.end("by IPv6"))
       .listen(3000, "${operator6}", () => console.log("ready"));
     require("node:http2").createServer((request, answer) =>
       answer.end(\`HTTP/\${request.httpVersion}\`)).listen(3001, "${operator6}");`,
  ]);
  const application = execa(node, program, { reject: false });
  stopApplication = () => {
    application.kill();
  };
  await new Promise((resolve) => application.stdout.once("data", resolve));
  await bootSpareEdge("signed", {
    access: "public",
    upstream: {
      mode: "direct",
      resolver: "198.18.0.1:5300",
      // Too wide: what must never be dialled is not, all the same.
      networks: [
        ...["172.20.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fe80::/10"],
        ...[
          `${operator6}/128`,
          `${spareEdge.ipv4}/32`,
          `${spareEdge.ipv6}/128`,
        ],
      ],
    },
  });
});

afterAll(async () => {
  await removeSpareEdge();
  stopResolver();
  stopApplication();
});

const ask = async (
  id: string,
  path = "/",
  args: string[] = [],
  port = "3000",
) => {
  const { stdout } = await labCurl([
    ...["--resolve", `*:443:${spareEdge.ipv4}`],
    ...["-w", "\n%{http_code}", ...args],
    `https://${id}-${port}.${SIGNED_DOMAIN}${path}`,
  ]);
  const [body = "", status = ""] = stdout.split(/\n(?=\d+$)/);
  return { status, body };
};

test("reaches the application, which sees its own public name", async () => {
  const { status, body } = await ask(FIRST_SANDBOX, "/headers");
  expect(status).toBe("200");
  const { headers } = JSON.parse(body) as { headers: Record<string, string> };
  const host = `${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}`;
  expect(headers).toMatchObject({
    host,
    "x-forwarded-host": host,
    "x-forwarded-for": "198.18.0.1",
    "x-real-ip": "198.18.0.1",
  });
});

test("by IPv6 where its name has nothing else", async () => {
  expect(await ask(byIpv6)).toEqual({ status: "200", body: "by IPv6" });
  const { body } = await ask(byBoth);
  expect(body).toContain(FIRST_SANDBOX);
});

test("a resolver may take its time", async () => {
  const { status, body } = await ask(byLateAnswer);
  expect(status).toBe("200");
  expect(body).toContain(FIRST_SANDBOX);
});

test.each([
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web-text; charset=utf-8",
])("gRPC-Web is HTTP/1.1 like everything else: %s", async (type) => {
  const args = ["-d", "x", "-H", `Content-Type: ${type}`];
  const { status, body } = await ask(FIRST_SANDBOX, "/headers", args);
  expect(status).toBe("200");
  expect(body).toContain('"httpVersion":"1.1"');
});

test.each([
  "application/grpc",
  "application/grpc+proto",
  "application/grpc;a=b",
  "Application/gRPC",
])("gRPC is HTTP/2 all the way: %s", async (type) => {
  const args = ["-d", "x", "-H", `Content-Type: ${type}`];
  const got = await ask(byIpv6, "/", args, "3001");
  expect(got).toEqual({ status: "200", body: "HTTP/2.0" });
});

test("an unknown sandbox is unreachable", async () => {
  const { status, body } = await ask("22222222-2222-4333-8444-555555555555");
  expect(status).toBe("503");
  expect(body).toContain('"sandbox_unreachable"');
});

describe("a name is not dialled that leads to", () => {
  test.each(Object.keys(evil).map((name, index) => [name, index] as const))(
    "%s",
    async (_, index) => {
      const sandbox = idOf(index);
      const begun = Date.now();
      const { status, body } = await ask(sandbox);
      expect(status).toBe("503");
      expect(body).toContain('"sandbox_unreachable"');
      // Refused by the proxy itself, before any connection.
      const row = await rowOf("edge-spare", begun, { sandbox });
      expect(row).toMatchObject({ connectMs: -1, end: "PR" });
    },
  );

  test("now a sandbox, now the metadata: only where it was checked", async () => {
    // Not so many requests: when the resolver is slow, the edge asks it again,
    // and every answer turns to the other address.
    const answers: { status: string; body: string }[] = [];
    await expect
      .poll(async () => {
        answers.push(await ask(rebinding));
        return [...new Set(answers.map(({ status }) => status))].sort();
      })
      .toEqual(["200", "503"]);
    for (const { status, body } of answers) {
      if (status === "200") expect(body).toContain(FIRST_SANDBOX);
    }
  });
});
