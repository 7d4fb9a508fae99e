/** Looks at a Docker again whenever something may have changed. */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../machine/agent/message-of.ts";
import { type Docker, onDockerChange } from "./docker.ts";

/** Another program may change what stands without Docker's doing, in ms. */
const lookAgain = 30_000;
/** After a look that failed, in ms. */
const retry = 1_000;
/** A port is there a moment after Docker has told of its container, in ms. */
const portLimit = 2_000;
const portInterval = 25;

/**
 * Begins to watch.
 * @param subject begins each message about what fails
 * @param lookOnce gives whether all is there that Docker has told of
 * @returns what looks again for another reason
 */
export function watchDocker(
  docker: Docker,
  subject: string,
  lookOnce: () => Promise<boolean>,
): () => void {
  let failure = "";
  let isWanted = false;
  let isRunning = false;

  const fails = (error: unknown) => {
    const message = messageOf(error);
    if (message !== failure) console.error(`${subject}: ${message}`);
    failure = message;
  };

  /** Changes come in rows; the last one counts. */
  async function look(): Promise<void> {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    try {
      const deadline = Date.now() + portLimit;
      let isWhole = false;
      while (isWanted || (!isWhole && Date.now() < deadline)) {
        isWanted = false;
        isWhole = await lookOnce();
        if (!isWhole) await sleep(portInterval);
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
      await onDockerChange(docker, () => void look()).catch(fails);
      // Without Docker no sandbox comes; the walls of those that are stay.
      await sleep(retry);
    }
  }

  void look();
  void watch();
  setInterval(() => void look(), lookAgain);
  return () => void look();
}
