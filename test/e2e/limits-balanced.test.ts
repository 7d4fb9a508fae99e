/**
 * Limits of a client that a balancer names, on an edge where they are low.
 *
 * @module-tag edge
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BurstOptions, bursts, onBridge } from "./bursts.ts";
import type { Counts } from "./fixtures/burst.ts";
import {
  SECOND_SANDBOX,
  SIGNED_DOMAIN,
  labCurl,
  signedOutputs,
} from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import type { Key } from "./tokens.ts";

let key: Key;
/** The one that the edge believes when it names another client. */
const balancer = "198.18.0.79";
const stranger = "198.18.0.78";

beforeAll(async () => {
  key = (await signedOutputs()).access.key;
  await onBridge("add", [balancer, stranger]);
  await bootSpareEdge(
    "signed",
    { limits: { client: { handshakesPerSecond: 3, connections: 20 } } },
    { loadBalancers: [balancer] },
  );
});

afterAll(async () => {
  await removeSpareEdge();
  await onBridge("delete", [balancer, stranger]);
});

async function burst(options: BurstOptions): Promise<Counts> {
  const [[counts = {}] = []] = await bursts(key, [options]);
  return counts;
}

/** Thirty, and as the rate slides, on a busy machine some more meanwhile. */
const most = (counts: Counts = {}) => 30 + 3 * Number(counts.seconds);

test("those of the client that it names", async () => {
  const from = { kind: "connection", from: balancer } as const;
  const [[one, two] = []] = await bursts(
    key,
    ["203.0.113.61", "203.0.113.62"].map((proxiedFor) => ({
      ...from,
      ...{ proxiedFor, count: 25, atATime: 25, hold: true },
    })),
  );
  expect(one).toMatchObject({ open: 20, closed: 5 });
  expect(two).toMatchObject({ open: 20, closed: 5 });
  const many = { ...from, proxiedFor: "203.0.113.63", count: 40, atATime: 10 };
  const got = await burst(many);
  expect(Number(got.open)).toBeLessThanOrEqual(most(got));
  // Whoever is no balancer is not believed.
  const alone = { ...from, from: stranger, proxiedFor: "203.0.113.64" };
  expect(await burst({ ...alone, count: 1 })).toMatchObject({ closed: 1 });
});

test("a greedy one is refused before its TLS handshakes, another is served", async () => {
  const greedy = { from: balancer, proxiedFor: "203.0.113.65" };
  const other = { from: balancer, proxiedFor: "203.0.113.66" };
  const asks = { ...other, kind: "connection", count: 10 } as const;
  const [[many, served] = []] = await bursts(key, [
    { ...greedy, kind: "connection", count: 100, atATime: 10 },
    asks,
  ]);
  expect(Number(many?.handshakes)).toBeLessThanOrEqual(most(many));
  expect(served).toMatchObject({ open: 10 });
});

test("one that sends no hello has its connections counted, another is served", async () => {
  const greedy = { from: balancer, proxiedFor: "203.0.113.67" };
  const other = { from: balancer, proxiedFor: "203.0.113.68" };
  const [[held, served] = []] = await bursts(key, [
    { ...greedy, kind: "plain", count: 25, atATime: 25, hold: true },
    { ...other, kind: "connection", count: 10 },
  ]);
  expect(held).toMatchObject({ open: 20, closed: 5 });
  expect(served).toMatchObject({ open: 10 });
});

test("on port 80 too", async () => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}", "--interface", balancer],
    "--haproxy-protocol",
    ...["--resolve", `*:80:${spareEdge.ipv4}`],
    `http://${SECOND_SANDBOX}-3000.${SIGNED_DOMAIN}/`,
  ]);
  expect(stdout).toBe("308");
  const [[one, two] = []] = await bursts(
    key,
    ["203.0.113.69", "203.0.113.70"].map((proxiedFor) => ({
      ...{ kind: "connection", plain: true, from: balancer, proxiedFor },
      ...{ count: 25, atATime: 25, hold: true },
    })),
  );
  expect(one).toMatchObject({ open: 20, closed: 5 });
  expect(two).toMatchObject({ open: 20, closed: 5 });
});
