/** Keeps the ports of sandboxes in force, whenever Docker changes something. */
import { messageOf } from "../machine/agent/message-of.ts";
import { writeAtomically } from "../machine/write-atomically.ts";
import { type Docker, dockerState } from "./docker.ts";
import { watchDocker } from "./docker-watch.ts";
import { foundAmong, foundFile } from "./found-sandboxes.ts";
import { inTurn, walledInterfaces } from "./firewall.ts";
import { applyPorts, portsNow } from "./port-walls.ts";
import type { Named } from "./ports.ts";

export interface PortWatch extends Omit<Named, "interfaces"> {
  readonly docker: Docker;
  /** The container that Docker is in, where it is not the server's own. */
  readonly runner?: string | undefined;
  /** Is told the interfaces that are walled, again and again. */
  readonly isWalled: (interfaces: readonly string[]) => void;
}

/** A Docker that hangs, or is away, keeps nobody waiting for longer, in ms. */
const firstLook = 20_000;

/**
 * Begins to watch.
 * @returns when what is there is walled, or Docker has told nothing for long
 */
export async function watchPorts({
  docker,
  networks,
  builds,
  runner,
  isWalled,
}: PortWatch): Promise<void> {
  let isTold = false;

  async function lookOnce(): Promise<boolean> {
    const [state, interfaces] = await Promise.all([
      dockerState(docker),
      walledInterfaces(),
    ]);
    const ports = await portsNow(docker, state, {
      ...{ interfaces, networks, builds },
    });
    const bound = ports.bindings.length;
    const isChanged = await inTurn(async () => {
      const changes = await applyPorts(ports);
      isTold = true;
      isWalled(ports.walled);
      return changes;
    });
    const found = foundAmong(state, ports, runner);
    await writeAtomically(foundFile, JSON.stringify(found), 0o600);
    if (isChanged) console.log(`ports: ${String(bound)} bound`);
    const expected = state.containers
      .flatMap(({ endpoints }) => endpoints)
      .filter(({ bridge }) => ports.walled.includes(bridge)).length;
    return bound >= expected;
  }

  walledInterfaces().then(
    (names) => {
      if (!isTold) isWalled(names);
    },
    (error: unknown) => {
      console.error(`ports: ${messageOf(error)}`);
    },
  );
  await new Promise<void>((resolve) => {
    setTimeout(resolve, firstLook);
    watchDocker(docker, "ports", async () => {
      const isWhole = await lookOnce();
      resolve();
      return isWhole;
    });
  });
}
