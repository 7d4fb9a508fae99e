/** Probes of revocation, on a running edge. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import {
  type AccessKey,
  type StackOutputs,
  sandboxUrl,
  signSandboxToken,
} from "../../client/index.ts";
import { curl } from "./answer.ts";
import type { Attempt, Probe } from "./probe.ts";

export interface RevocationTarget {
  readonly outputs: StackOutputs;
  readonly key: AccessKey;
  /** A sandbox whose application listens on two ports; one of them is revoked. */
  readonly sandbox: string;
  readonly port: number;
  readonly otherPort: number;
  /** A sandbox that must not notice; its application listens on `otherPort`. */
  readonly neighbour: string;
  /** Revokes, or takes it back; resolves when the store has it. */
  readonly revoke: (sandbox: string, port: number) => Promise<void>;
  readonly restore: (sandbox: string, port: number) => Promise<void>;
}

/**
 * How long it may take, in milliseconds: the README's promise, or so many times
 * as much where this computer runs other things beside, as test suites do.
 */
const limit = 2_000 * Number(process.env.DAYTONA_EDGE_PATIENCE ?? 1);

/** A timer that keeps no process alive. */
const unheld = { ref: false };

export function revocationProbes(target: RevocationTarget): Probe[] {
  const { outputs, key, sandbox, port, otherPort, neighbour } = target;
  return [
    {
      road: "in",
      name: "revoked while a stream is open",
      command: `npm run sandbox -- revoke ${sandbox} --port ${String(port)}`,
      expected: `within ${String(limit)} ms: 403, its stream cut`,
      attempt,
    },
  ];

  async function attempt(): Promise<Attempt> {
    const sign = (id: string, change: { issuedAt?: number } = {}) =>
      signSandboxToken(key, { sandbox: id, ports: "*", ...change });
    const token = await sign(sandbox);
    const sockets: WebSocket[] = [];
    try {
      const mine = await openStream(sandbox, port, token);
      sockets.push(mine);
      const theirs = await openStream(
        neighbour,
        otherPort,
        await sign(neighbour),
      );
      sockets.push(theirs);
      const closed = once(mine, "close");
      const start = performance.now();
      await target.revoke(sandbox, port);
      await Promise.race([closed, sleep(limit + 1_000, undefined, unheld)]);
      const took = Math.round(performance.now() - start);
      const later = { issuedAt: Math.floor(Date.now() / 1000) + 5 };
      const [refused, renewed, elsewhere] = await Promise.all([
        ask(port, token),
        ask(port, await sign(sandbox, later)),
        ask(otherPort, token),
      ]);
      const isCut = mine.readyState === WebSocket.CLOSED;
      const lives = theirs.readyState === WebSocket.OPEN;
      return {
        ok:
          isCut &&
          took <= limit &&
          refused.status === 403 &&
          refused.text.includes('"token_revoked"') &&
          renewed.status === 200 &&
          elsewhere.status === 200 &&
          lives,
        got: [
          isCut ? `cut after ${String(took)} ms` : "stream lives on",
          String(refused.status),
          `new token ${String(renewed.status)}`,
          `other port ${String(elsewhere.status)}`,
          ...(lives ? [] : ["the neighbour's stream was cut as well"]),
        ].join(", "),
      };
    } finally {
      await target.restore(sandbox, port);
      for (const socket of sockets) socket.terminate();
    }
  }

  function ask(to: number, token: string) {
    return curl(sandboxUrl(outputs, { sandbox, port: to }), [
      ...["-H", `X-Sandbox-Token: ${token}`],
    ]);
  }

  async function openStream(
    id: string,
    to: number,
    token: string,
  ): Promise<WebSocket> {
    const url = sandboxUrl(outputs, { sandbox: id, port: to, path: "/ws" });
    const socket = new WebSocket(url.replace("https", "wss"), {
      headers: { "X-Sandbox-Token": token },
      handshakeTimeout: 60_000,
    });
    await once(socket, "open");
    return socket;
  }
}
