/**
 * A gateway whose disk is full: what was taken back meanwhile stays closed, also
 * when HAProxy starts again.
 *
 * @module-tag gateway
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  complaint,
  keepRules,
  machine,
  putRules,
  request,
  rule,
  statusOf,
} from "./gateway-rules.ts";
import { openStream } from "./sandbox-stream.ts";

const state = "/var/lib/daytona-edge/gateway";
const units = "daytona-gateway-agent daytona-gateway";
const taken = "https://api.github.com/zen";
const kept = "https://openrouter.ai/api/v1/models";

keepRules();

beforeAll(async () => {
  // A disk of its own for the gateway's state, which units see once they start.
  await machine(
    `systemctl stop ${units}
     cp -a ${state} /tmp/state
     mount -t tmpfs -o size=512k,mode=700 tmpfs ${state}
     cp -a /tmp/state/. ${state}
     rm -r /tmp/state
     systemctl start daytona-gateway daytona-gateway-agent`,
  );
});

afterAll(async () => {
  await machine(
    `systemctl stop ${units}
     umount ${state}
     systemctl start daytona-gateway daytona-gateway-agent`,
  );
});

test("a rule that is taken back is closed, and that is said to be lost with a restart", async () => {
  await expect.poll(() => statusOf(taken)).toBe("200");
  const stream = await openStream("https://api.github.com/sse");
  await machine(`! dd if=/dev/zero of=${state}/full bs=4k 2>/dev/null`);
  await putRules(request.slice(0, 2));
  await expect.poll(() => statusOf(taken)).toMatch(/000$/);
  await expect
    .poll(complaint)
    .toMatch(/in force, but not kept for a restart: .*\.map: .*ENOSPC/);
  expect(await statusOf(kept)).toBe("200");
  await stream.ended;
});

test("a rule that is taken back is closed beside a host whose certificate finds no room", async () => {
  const stream = await openStream("https://api.anthropic.com/v1/sse");
  const inspected = { url: "https://api.github.com/*", inspect: true };
  await putRules([request[0], inspected]);
  // 28 is curl's own limit.
  expect(await stream.ended).toMatch(/curl: \((?!28\))\d+\)/);
  await expect.poll(complaint).toMatch(/in force, but not kept.*: ENOSPC/);
  await expect.poll(() => statusOf(kept)).toBe("200");
  await putRules(request.slice(0, 2));
});

test("HAProxy starts again, and lets nothing through before it knows the rules", async () => {
  await machine(
    `systemctl stop daytona-gateway-agent
     systemctl restart daytona-gateway`,
  );
  expect(await statusOf(taken)).toMatch(/000$/);
  expect(await statusOf(kept)).toMatch(/000$/);
  await machine("systemctl start --no-block daytona-gateway-agent");
  await expect.poll(() => statusOf(kept)).toBe("200");
  expect(await statusOf(taken)).toMatch(/000$/);
});

test("with space again it is kept", async () => {
  await machine(`rm ${state}/full`);
  await expect.poll(complaint).toBeUndefined();
  await machine(
    `systemctl stop daytona-gateway-agent
     systemctl restart daytona-gateway`,
  );
  expect(await statusOf(taken)).toMatch(/000$/);
  expect(await statusOf(kept)).toBe("200");
  await machine("systemctl start daytona-gateway-agent");
  await rule(request);
  expect(await statusOf(taken)).toBe("200");
});
