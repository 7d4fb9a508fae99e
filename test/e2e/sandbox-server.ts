import { setTimeout as sleep } from "node:timers/promises";
import { fixtureProgram } from "./fixture-program.ts";
import { sandboxExec } from "./lab.ts";

export interface SandboxServer {
  /** Asks its control port; the answer's body. */
  control(method: "GET" | "DELETE"): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts one of the fixtures as a server in a sandbox, with the sandbox's own
 * Node and Daytona's toolbox.
 * @param port where it serves; its control port is the next one
 */
export async function startInSandbox(
  sandbox: string,
  fixture: string,
  port: number,
): Promise<SandboxServer> {
  const program = fixtureProgram(fixture);
  const place = `/tmp/server-${String(port)}`;
  const controlPort = String(port + 1);
  // Its toolbox first: a start that is tried twice would be two servers.
  await untilDone(() => inSandbox(sandbox, fixture, "true"));
  await sandboxExec(
    sandbox,
    `cat >${place}.mjs <<'PROGRAM'\n${program}\nPROGRAM\nsetsid node ${place}.mjs ${String(port)} ${controlPort} >${place}.log 2>&1 </dev/null & echo $! >${place}.pid`,
  );
  const control = (method: string) =>
    inSandbox(
      sandbox,
      fixture,
      `curl -sS --fail -X ${method} http://127.0.0.1:${controlPort}/`,
    );
  await untilDone(() => control("GET"));
  return {
    control,
    stop: async () => {
      await sandboxExec(
        sandbox,
        `kill "$(cat ${place}.pid)"; rm -f ${place}.mjs ${place}.pid ${place}.log`,
      );
    },
  };
}

/** @throws Error that names the fixture, when the command fails */
async function inSandbox(
  sandbox: string,
  fixture: string,
  command: string,
): Promise<string> {
  const { exitCode, result } = await sandboxExec(sandbox, command);
  if (exitCode !== 0) throw new Error(`${fixture} in its sandbox: ${result}`);
  return result;
}

async function untilDone(attempt: () => Promise<unknown>): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (attempts === 1_200) throw error;
      await sleep(100);
    }
  }
}
