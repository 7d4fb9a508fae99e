/**
 * An edge that is restarted, or whose machine is rebooted, while somebody holds
 * a WebSocket open: with and without a load balancer before it.
 *
 * @module-tag edge
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { trustFile } from "../../scripts/checkout.ts";
import { http2AnswersOf } from "./fixtures/answers-http2.ts";
import { headers, preface, settings } from "./fixtures/malformed/frames.ts";
import { DOMAIN, FIRST_SANDBOX, inLab, lab, labExec } from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";
import { holdStreams } from "./streams.ts";
import { exchangeAll } from "./targets.ts";

const machine = "edge-spare";
const host = `${FIRST_SANDBOX}-3000.${DOMAIN}`;

/** Only what fails takes so long: a stop that waits for streams. */
const inTime = ["timeout", "20"];

afterAll(removeSpareEdge);

/** While a WebSocket is open. */
async function streaming(
  act: (stream: { cut: () => number }) => Promise<void>,
): Promise<void> {
  const url = `wss://${host}/ws`;
  const stream = await holdStreams(1, url, [], spareEdge.ipv4);
  try {
    await act(stream);
  } finally {
    await stream.end();
  }
}

/** Asks on new connections until one is served. */
async function serve(): Promise<void> {
  const curl = `curl -fsS --cacert ${trustFile} --resolve ${host}:443:${spareEdge.ipv4} https://${host}/`;
  const loop = `until ${curl}; do sleep 0.05; done`;
  const { exitCode } = await inLab(["timeout", "120", "sh", "-c", loop]);
  expect(exitCode).toBe(0);
}

const subState = async () => {
  const { stdout } = await labExec(machine, [
    ..."systemctl show --property=SubState --value daytona-edge".split(" "),
  ]);
  return stdout;
};

/** Restarts HAProxy, which cuts the WebSocket. */
const restart = () =>
  streaming(async (stream) => {
    const started = performance.now();
    const { exitCode } = await labExec(machine, [
      ...inTime,
      ..."systemctl restart daytona-edge".split(" "),
    ]);
    expect(exitCode).toBe(0);
    await serve();
    const seconds = (performance.now() - started) / 1000;
    console.log(`served again after ${seconds.toFixed(1)} s`);
    await expect.poll(stream.cut).toBe(1);
  });

async function reboot(): Promise<void> {
  const started = performance.now();
  const { exitCode, stderr } = await lab(["machine", "reboot", machine]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  await serve();
  const seconds = (performance.now() - started) / 1000;
  console.log(`rebooted, served again after ${seconds.toFixed(1)} s`);
}

describe("an edge that is the only one", () => {
  test("serves again at once when it is restarted with an open WebSocket", async () => {
    await bootSpareEdge("local", {});
    await restart();
    expect(await subState()).toBe("running");
  });

  // Later revocations reach the new process alone.
  test("answers no more by a process that a reload has replaced", async () => {
    const ask = (stream: number, path: string) =>
      headers(stream, [
        [":method", "GET"],
        [":scheme", "https"],
        [":authority", host],
        [":path", path],
      ]);
    // The first stream keeps the connection, the second says when it begins.
    const asked = exchangeAll([
      {
        road: {
          ...{ address: spareEdge.ipv4, port: 443 },
          tls: { servername: host, alpn: "h2" },
        },
        pieces: [
          Buffer.concat([
            preface,
            settings(),
            ask(1, "/silent?seconds=120"),
            ask(3, "/"),
          ]),
          ask(5, "/"),
          ask(7, "/"),
        ],
        pause: 15_000,
        ending: "wait" as const,
        limit: 40_000,
      },
    ]);
    await sleep(2_000);
    const { exitCode } = await labExec(machine, [
      ...["systemctl", "reload", "daytona-edge"],
    ]);
    expect(exitCode).toBe(0);
    const [got] = await asked;
    const { answers } = http2AnswersOf(got?.received ?? Buffer.alloc(0));
    expect(answers.get(3)).toMatchObject({ status: 200 });
    expect(answers.get(7)).toMatchObject({ status: 503 });
  });

  test("ends cleanly when it is stopped", async () => {
    await streaming(async () => {
      const { exitCode } = await labExec(machine, [
        ...inTime,
        ..."systemctl stop daytona-edge".split(" "),
      ]);
      expect(exitCode).toBe(0);
    });
    expect(await subState()).toBe("dead");
    await labExec(machine, ["systemctl", "start", "daytona-edge"]);
  });

  test("lets its machine reboot with an open WebSocket", async () => {
    await streaming(reboot);
  });
});

describe("an edge behind a load balancer", () => {
  test("serves again at once when it is restarted with an open WebSocket", async () => {
    // Everybody else comes without the PROXY header.
    await bootSpareEdge("local", {}, { loadBalancers: ["192.0.2.1/32"] });
    await restart();
  });

  test("drains when it is stopped, and lets its machine reboot meanwhile", async () => {
    await labExec(machine, [
      ...["sed", "-i", "s/GRACE_SECONDS=.*/GRACE_SECONDS=2/"],
      "/etc/daytona-edge/edge/env",
    ]);
    await streaming(async (stream) => {
      await labExec(machine, [
        ...["systemctl", "stop", "--no-block", "daytona-edge"],
      ]);
      await expect.poll(subState).toBe("stop-sigterm");
      expect(stream.cut()).toBe(0);
      await reboot();
    });
  });
});
