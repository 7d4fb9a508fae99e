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
  await sandboxExec(
    sandbox,
    `cat >${place}.mjs <<'PROGRAM'\n${program}\nPROGRAM\nsetsid node ${place}.mjs ${String(port)} ${controlPort} >${place}.log 2>&1 </dev/null & echo $! >${place}.pid`,
  );
  const control = async (method: string) => {
    const { exitCode, result } = await sandboxExec(
      sandbox,
      `curl -sS --fail -X ${method} http://127.0.0.1:${controlPort}/`,
    );
    if (exitCode !== 0) throw new Error(`${fixture} in its sandbox: ${result}`);
    return result;
  };
  for (let attempt = 0; ; attempt++) {
    try {
      await control("GET");
      break;
    } catch (error) {
      if (attempt === 600) throw error;
      await sleep(100);
    }
  }
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
