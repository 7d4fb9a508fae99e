/** Keeps the ports of sandboxes in force, whenever Docker changes something. */
import { messageOf } from "../machine/agent/message-of.ts";
import { type Docker, dockerState } from "./docker.ts";
import { watchDocker } from "./docker-watch.ts";
import { inTurn, walledInterfaces } from "./firewall.ts";
import { applyPorts, portsNow } from "./port-walls.ts";

/**
 * Begins to watch.
 * @param isWalled is told the interfaces that are walled, again and again
 */
export function watchPorts(
  docker: Docker,
  isWalled: (interfaces: readonly string[]) => void,
): void {
  let isTold = false;

  async function lookOnce(): Promise<boolean> {
    const [state, named] = await Promise.all([
      dockerState(docker),
      walledInterfaces(),
    ]);
    const ports = await portsNow(docker, state, named);
    const bound = ports.bindings.length;
    const isChanged = await inTurn(async () => {
      const changes = await applyPorts(ports);
      isTold = true;
      isWalled(ports.walled);
      return changes;
    });
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
  watchDocker(docker, "ports", lookOnce);
}
