/** Keeps the ports of sandboxes in force, whenever Docker changes something. */
import { setTimeout as sleep } from "node:timers/promises";
import { dockerState, onDockerChange } from "./docker.ts";
import { inTurn, walledInterfaces } from "./firewall.ts";
import { applyPorts, portsNow } from "./port-walls.ts";
import type { Ports } from "./ports.ts";

/** Another program may change what stands without Docker's doing, in ms. */
const lookAgain = 30_000;
/** After a look that failed, in ms. */
const retry = 1_000;
/** A port is there a moment after Docker has told of its container, in ms. */
const portLimit = 2_000;
const portInterval = 25;

/**
 * Begins to watch.
 * @param isWalled is told the interfaces that are walled, again and again
 */
export function watchPorts(
  isWalled: (interfaces: readonly string[]) => void,
): void {
  let isTold = false;
  let failure = "";
  let isWanted = false;
  let isRunning = false;

  const fails = (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== failure) console.error(`ports: ${message}`);
    failure = message;
  };

  /** Changes come in rows; the last one counts. */
  async function look(): Promise<void> {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    try {
      const deadline = Date.now() + portLimit;
      let bound = 0;
      let wanted = 1;
      while (isWanted || (bound < wanted && Date.now() < deadline)) {
        isWanted = false;
        const ports = await lookOnce((names) => {
          isTold = true;
          isWalled(names);
        });
        bound = ports.bindings.length;
        wanted = ports.expected;
        if (bound < wanted) await sleep(portInterval);
      }
      failure = "";
    } catch (error) {
      fails(error);
      setTimeout(() => void look(), retry);
    } finally {
      isRunning = false;
    }
  }

  async function watch(): Promise<never> {
    for (;;) {
      await onDockerChange(() => void look()).catch(fails);
      // Without Docker no sandbox comes; the walls of those that are stay.
      await sleep(retry);
    }
  }

  void walledInterfaces().then((names) => {
    if (!isTold) isWalled(names);
  }, fails);
  void watch();
  setInterval(() => void look(), lookAgain);
}

/** @param isWalled is told what is walled once that is in force */
async function lookOnce(
  isWalled: (names: readonly string[]) => void,
): Promise<Ports & { readonly expected: number }> {
  const [docker, walled] = await Promise.all([
    dockerState(),
    walledInterfaces(),
  ]);
  const ports = await portsNow(docker, walled);
  const { bindings } = ports;
  const said = await inTurn(async () => {
    const isChanged = await applyPorts(ports);
    isWalled(ports.walled);
    return isChanged;
  });
  if (said) console.log(`ports: ${String(bindings.length)} bound`);
  const expected = docker.containers
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ bridge }) => ports.walled.includes(bridge)).length;
  return { ...ports, expected };
}
