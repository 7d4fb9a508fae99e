import { describe, expect, test } from "vitest";
import { accessKeysMap } from "../../../infra/edge/access-keys.ts";
import { sandboxFigures, sandboxLimit } from "../../../infra/edge/figures.ts";
import {
  latestByPlace,
  noRevocations,
  parseRevocations,
  revocationsDocument,
  revokedMap,
} from "../../../infra/edge/revocations.ts";
import { halfClosed } from "../../../infra/edge/half-closed.ts";

const id = "83792513-cd9e-428f-99c0-63c63bc7739c";
const other = "5f0c1a52-7d3b-4c1e-9a44-2b6a1e0d9c31";
const secret = "s".repeat(48);

describe("access.json", () => {
  const map = (keys: unknown) => accessKeysMap(JSON.stringify({ keys }));

  test("is a map of key names and secrets", () => {
    expect(
      map([
        { kid: "key-2", secret },
        { kid: "key-1", secret: "t".repeat(48) },
      ]),
    ).toBe(`key-1 ${"t".repeat(48)}\nkey-2 ${secret}\n`);
  });

  test.each([
    ["no keys", []],
    ["no keys", undefined],
    ["not the name of a key", [{ kid: "a b", secret }]],
    ["not the name of a key", [{ kid: "", secret }]],
    ["not the name of a key", [{ kid: "x\ny", secret }]],
    ["43 to 256", [{ kid: "key-1", secret: "short" }]],
    ["43 to 256", [{ kid: "key-1", secret: "" }]],
    ["43 to 256", [{ kid: "key-1", secret: `${secret}\nother ${secret}` }]],
    [
      "one name",
      [
        { kid: "key-1", secret },
        { kid: "key-1", secret },
      ],
    ],
  ])("is refused as a whole: %s", (reason, keys) => {
    expect(() => map(keys)).toThrow(reason);
  });

  test("what is no JSON is not repeated", () => {
    const broken = () => accessKeysMap(`{"keys":[{"secret":${secret}`);
    expect(broken).toThrow(/^it is not JSON$/);
  });

  test("an error tells no secret", () => {
    const short = "tooshortbutsecret";
    expect(() => map([{ kid: "key-1", secret: short }])).toThrow(
      expect.not.objectContaining({
        message: expect.stringContaining(short) as string,
      }),
    );
  });
});

describe("revocations.json", () => {
  test("of a stack that has revoked nothing is an empty map", () => {
    expect(revokedMap(parseRevocations(noRevocations))).toBe("");
  });

  test("the latest of a place counts, ports apart", () => {
    const revocations = [
      { sandbox: id, notBefore: 20 },
      { sandbox: id, port: 3000, notBefore: 50 },
      { sandbox: id, notBefore: 30 },
      { sandbox: other, notBefore: 10 },
    ];
    const document = revocationsDocument(revocations);
    expect(parseRevocations(document)).toEqual(revocations);
    expect(latestByPlace(revocations).get(id)).toBe(30);
    expect(revokedMap(revocations)).toBe(
      `${other} 10\n${id} 30\n${id}:3000 50\nsigned-preview 30\nsigned-preview:3000 50\n`,
    );
  });

  test("a sandbox of which one port is revoked is found, and stays open", () => {
    expect(revokedMap([{ sandbox: id, port: 3000, notBefore: 50 }])).toBe(
      `${id} 0\n${id}:3000 50\nsigned-preview 0\nsigned-preview:3000 50\n`,
    );
  });

  test.each([
    ["no revocations", undefined],
    ["not the id", [{ sandbox: "x", notBefore: 1 }]],
    ["not the id", [{ sandbox: `${id}\nx 1`, notBefore: 1 }]],
    ["not a port", [{ sandbox: id, port: 0, notBefore: 1 }]],
    ["not a port", [{ sandbox: id, port: 65_536, notBefore: 1 }]],
    ["not Unix time", [{ sandbox: id, notBefore: "soon" }]],
    ["not Unix time", [{ sandbox: id, notBefore: 0 }]],
  ])("is refused as a whole: %s", (reason, revocations) => {
    expect(() => parseRevocations(JSON.stringify({ revocations }))).toThrow(
      reason,
    );
  });
});

describe("figures of sandboxes", () => {
  const row = (sandbox: string, requests: number) =>
    `0x7f: key=${sandbox} use=0 exp=3599 shard=0 gpc0=${String(requests)} gpc0_rate(10000)=1 conn_cur=2 bytes_in_cnt=10 bytes_out_cnt=20 http_fail_cnt=1`;

  test("in Prometheus' format, the busiest first", () => {
    const text = sandboxFigures(
      ["# table: sandboxes, type: string", row(other, 1), row(id, 7), ""].join(
        "\n",
      ),
    );
    expect(text).toContain(
      `# TYPE daytona_edge_sandbox_requests_total counter\ndaytona_edge_sandbox_requests_total{sandbox="${id}"} 7\ndaytona_edge_sandbox_requests_total{sandbox="${other}"} 1\n`,
    );
    expect(text).toContain(
      `daytona_edge_sandbox_sent_bytes_total{sandbox="${id}"} 20\n`,
    );
    expect(text).toContain("daytona_edge_sandboxes 2\n");
  });

  test("none of a sandbox that nobody was let in to", () => {
    const text = sandboxFigures(row(id, 0));
    expect(text).not.toContain(id);
    expect(text).toContain("daytona_edge_sandboxes 0\n");
  });

  test("are bounded, however many sandboxes there are", () => {
    const rows = Array.from({ length: sandboxLimit + 500 }, (_, i) =>
      row(`${String(i).padStart(8, "0")}${id.slice(8)}`, i + 1),
    );
    const text = sandboxFigures(rows.join("\n"));
    expect(text.match(/requests_total\{/g)).toHaveLength(sandboxLimit);
    expect(text).toContain(
      `daytona_edge_sandboxes ${String(sandboxLimit + 500)}\n`,
    );
  });
});

test("half-closed connections of HAProxy alone are found", () => {
  const lines = [
    '0      0      198.18.0.5:40112   172.20.0.2:3000  users:(("haproxy",pid=99,fd=20))',
    '0      0      [2001:db8::5]:40113  [fd00::2]:3000  users:(("haproxy",pid=99,fd=21))',
    '0      0      198.18.0.5:40114   172.20.0.2:22  users:(("ssh",pid=98,fd=3))',
    "0      0      198.18.0.5:40115   172.20.0.2:3000",
    "",
  ].join("\n");
  expect(halfClosed(lines)).toEqual([
    "198.18.0.5:40112 172.20.0.2:3000",
    "[2001:db8::5]:40113 [fd00::2]:3000",
  ]);
});
