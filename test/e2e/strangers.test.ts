/**
 * Who is not let in to a private sandbox cannot use up what it gets: however
 * many of Daytona's refusals strangers draw out, its owner is served.
 *
 * @module-tag edge
 */
import { execa } from "execa";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trustFile } from "../../scripts/checkout.ts";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { DOMAIN, FIRST_SANDBOX, SECOND_SANDBOX, labCurl } from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";

const limit = 5;
const guarded = `${SECOND_SANDBOX}-3000.${DOMAIN}`;

beforeAll(async () => {
  await bootSpareEdge("local", {
    limits: {
      sandbox: { concurrentRequests: limit, concurrentStreams: limit },
    },
  });
});

afterAll(removeSpareEdge);

/** Statuses of the owner's requests, one after the other. */
async function owner(count: number, ...args: string[]): Promise<string[]> {
  const statuses: string[] = [];
  for (let asked = 0; asked < count; asked++) {
    const { stdout } = await labCurl([
      ...["-o", "/dev/null", "-w", "%{http_code}"],
      ...["--resolve", `*:443:${spareEdge.ipv4}`],
      ...["-H", `X-Daytona-Preview-Token: ${labSecrets().previewToken}`],
      ...args,
    ]);
    statuses.push(stdout);
  }
  return statuses;
}

/** Runs something while strangers hold requests; their statuses. */
async function beside(
  kind: "answer" | "stream" | "body",
  count: number,
  happens: () => Promise<void>,
): Promise<string[]> {
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/strangers.ts"),
    ...[kind, String(count), guarded, spareEdge.ipv4],
  ]);
  const strangers = execa(file, args, {
    stdin: "pipe",
    env: { NODE_EXTRA_CA_CERTS: trustFile },
  });
  const said = new Promise<Buffer>((resolve) => {
    strangers.stdout.once("data", resolve);
  });
  const ready = await Promise.race([said, strangers.then(() => "[]")]);
  try {
    await happens();
  } finally {
    strangers.stdin.end();
  }
  await strangers;
  return JSON.parse(String(ready)) as string[];
}

test.each([
  ["answer", "401"],
  ["body", "307"],
] as const)(
  "requests that strangers draw out by the %s are not the sandbox's",
  async (kind, status) => {
    const statuses = await beside(kind, 20, async () => {
      expect(await owner(10, `https://${guarded}/`)).toEqual(
        Array(10).fill("200"),
      );
    });
    expect(statuses).toEqual(Array(20).fill(status));
  },
);

test("nor are event streams", async () => {
  const events = ["-H", "Accept: text/event-stream"];
  const statuses = await beside("stream", 20, async () => {
    expect(
      await owner(10, ...events, `https://${guarded}/sse?interval=1&count=1`),
    ).toEqual(Array(10).fill("200"));
  });
  expect(statuses).toEqual(Array(20).fill("401"));
});

test("whoever is let in has the sandbox's limit", async () => {
  const open = `https://${FIRST_SANDBOX}-3000.${DOMAIN}/silent?seconds=5`;
  const { stdout } = await labCurl([
    ...["-Z", "--parallel-immediate", "--parallel-max", "10"],
    ...["-w", "%{http_code} ", "--resolve", `*:443:${spareEdge.ipv4}`],
    ...Array.from({ length: limit + 3 }, () => [
      "-o",
      "/dev/null",
      open,
    ]).flat(),
  ]);
  expect(stdout.trim().split(" ").sort()).toEqual([
    ...Array<string>(limit).fill("200"),
    ...Array<string>(3).fill("429"),
  ]);
});
