/**
 * An edge whose disk is full: who was revoked meanwhile stays out, also when
 * HAProxy starts again.
 *
 * @module-tag edge
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  FIRST_SANDBOX,
  SIGNED_DOMAIN,
  labCurl,
  labExec,
  script,
  signedOutputs,
} from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { holdStreams } from "./streams.ts";
import { type Key, claims, now, sign } from "./tokens.ts";

const machine = "edge-spare";
const id = FIRST_SANDBOX;
const host = `${id}-3000.${SIGNED_DOMAIN}`;
const state = "/var/lib/daytona-edge/edge";

let key: Key;

const onEdge = async (...lines: string[]) => {
  const { stdout, stderr, exitCode } = await labExec(machine, [
    ...["sh", "-euc", lines.join("\n")],
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
};

/** The status of a request, and the edge's own word for it. */
async function ask(token: string): Promise<string> {
  const { stdout } = await labCurl([
    ...["--resolve", `${host}:443:${spareEdge.ipv4}`, "-o", "/dev/null"],
    ...["-w", "%{http_code} %header{x-sandbox-error}"],
    ...["-H", `X-Sandbox-Token: ${token}`, `https://${host}/`],
  ]);
  return stdout.trim();
}

const health = async () => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}"],
    `http://${spareEdge.ipv4}:8404/healthz`,
  ]);
  return stdout;
};

/** What the agent says is wrong with the revocations. */
const complaint = async () => {
  const { stdout } = await labCurl([`http://${spareEdge.ipv4}:8404/status`]);
  const status = JSON.parse(stdout) as Record<string, { error?: string }>;
  return status["revocations.json"]?.error;
};

beforeAll(async () => {
  ({
    access: { key },
  } = await signedOutputs());
  await bootSpareEdge("signed", {});
  // A disk of its own for the edge's state, which units see once they start.
  await onEdge(
    "systemctl stop daytona-edge-agent daytona-edge",
    `cp -a ${state} /tmp/state`,
    `mount -t tmpfs -o size=256k,mode=700 tmpfs ${state}`,
    `cp -a /tmp/state/. ${state}`,
    "systemctl start daytona-edge daytona-edge-agent",
  );
});

afterAll(async () => {
  await script("sandbox.ts", ["restore", id]);
  await removeSpareEdge();
});

const old = () => sign(key, { ...claims(id), iat: now() - 100 });
const fresh = () => sign(key, { ...claims(id), iat: now() + 30 });
const revoked = "403 token_revoked";

test("a revocation counts, and is said to be lost with a restart", async () => {
  await expect.poll(health).toBe("200");
  const stream = await holdStreams(
    1,
    `wss://${host}/ws`,
    [`X-Sandbox-Token:${old()}`],
    spareEdge.ipv4,
  );
  await onEdge(`! dd if=/dev/zero of=${state}/full bs=4k 2>/dev/null`);
  expect(await ask(old())).toBe("200");

  await script("sandbox.ts", ["revoke", id]);
  await expect.poll(() => ask(old())).toBe(revoked);
  await expect.poll(stream.cut).toBe(1);
  await stream.end();
  expect(await complaint()).toMatch(
    /in force, but not kept for a restart: .*revoked\.map: .*ENOSPC/,
  );
  // Whoever is let in again is not cut at each look.
  const other = await holdStreams(
    1,
    `wss://${host}/ws`,
    [`X-Sandbox-Token:${fresh()}`],
    spareEdge.ipv4,
  );
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await other.end()).toMatchObject({ opened: 1, cut: 0 });
});

test("HAProxy starts again, and serves nobody before it knows who is revoked", async () => {
  await onEdge(
    "systemctl stop daytona-edge-agent",
    "systemctl restart daytona-edge",
  );
  expect(await health()).toBe("503");
  expect(await ask(old())).toBe("000");
  await onEdge("systemctl start daytona-edge-agent");
  await expect.poll(health).toBe("200");
  expect(await ask(old())).toBe(revoked);
  expect(await ask(fresh())).toBe("200");
});

test("with space again it is kept", async () => {
  await onEdge(`rm ${state}/full`);
  await expect.poll(complaint).toBeUndefined();
  await onEdge(
    "systemctl stop daytona-edge-agent",
    "systemctl restart daytona-edge",
  );
  await expect.poll(() => ask(old())).toBe(revoked);
  await onEdge("systemctl start daytona-edge-agent");
});
