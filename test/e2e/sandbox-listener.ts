/** Small servers in a sandbox, for what the lab's application cannot do. */
import { expect, vi } from "vitest";
import { sandboxExec } from "./lab.ts";

export interface Listener {
  /** What it has printed so far. */
  readonly log: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a program of the sandbox's own Node; resolves once it listens.
 * @param source prints "ready" when it listens
 */
export async function startListener(
  sandbox: string,
  name: string,
  source: string,
): Promise<Listener> {
  const place = `/tmp/${name}`;
  await sandboxExec(
    sandbox,
    `cat >${place}.cjs <<'END'\n${source}\nEND\nsetsid node ${place}.cjs >${place}.log 2>&1 </dev/null & echo $! >${place}.pid`,
  );
  const log = async () =>
    (await sandboxExec(sandbox, `cat ${place}.log`)).result;
  // expect.poll() is for tests only, and this is for hooks too.
  await vi.waitFor(async () => {
    expect(await log()).toContain("ready");
  }, 120_000);
  return {
    log,
    stop: async () => {
      await sandboxExec(
        sandbox,
        `kill "$(cat ${place}.pid)"; rm -f ${place}.cjs ${place}.pid ${place}.log`,
      );
    },
  };
}
