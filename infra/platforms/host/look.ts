/**
 * What of the stack's stands on a server, and what somebody has changed there
 * by hand. Pulumi compares with its own state, which knows nothing of that.
 */
import * as pulumi from "@pulumi/pulumi";
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Look, parseLook } from "./pieces.ts";
import type { ScriptRun } from "./remote-command.ts";
import {
  type Login,
  type Server,
  bootPatience,
  remoteScript,
} from "./server.ts";
import { checkAgent, runBySsh } from "./ssh.ts";

/**
 * Asks a server.
 * @throws Error that says why it cannot be asked
 */
export async function lookAtServer(
  server: Server,
  privateKey: string | undefined,
): Promise<Look> {
  return parseLook(
    await runBySsh(server, privateKey, remoteScript(server, "look")),
  );
}

/**
 * The word that an install is given. It differs from the last one's, so that
 * the engine sees a change and installs again, when and only when something
 * was changed or taken away by hand.
 */
export function repairOf(look: Look, name: string): string {
  const piece = look[name];
  if (!piece) return randomUUID();
  const { repair, changes } = piece;
  if (changes.length === 0) return repair;
  // The same in a preview and in the update after it.
  const digest = createHash("sha256").update([repair, ...changes].join("\n"));
  return digest.digest("hex").slice(0, 16);
}

/** After how many ms a server is asked again that boots. */
const pause = 3_000;

/**
 * Looks at a server for the program.
 * @param how ways to look and to wait, others in tests
 * @returns undefined when a preview cannot ask
 * @throws pulumi.RunError with the reason when an update cannot, or when the
 *   plugin would stumble over the SSH agent
 */
export async function lookBeforeInstall(
  server: Server,
  privateKey: pulumi.Input<string> | undefined,
  { look = lookAtServer, wait = (ms: number) => sleep(ms) } = {},
): Promise<Look | undefined> {
  await checkAgent().catch((error: unknown) => {
    throw new pulumi.RunError((error as Error).message);
  });
  const key = await new Promise<string | undefined>((resolve) => {
    pulumi.output(privateKey).apply(resolve);
  });
  for (const deadline = Date.now() + bootPatience; ;) {
    try {
      return warned(server, await look(server, key));
    } catch (error) {
      const { message } = error as Error;
      if (pulumi.runtime.isDryRun()) {
        await pulumi.log.warn(
          `${message}\nNobody knows whether ${server.address} was changed by hand; what is installed there may be shown as changed`,
        );
        return undefined;
      }
      // One that boots refuses, or ends what it has begun; a wrong key stays so.
      if (
        Date.now() > deadline ||
        /host key|may not|no key|privateKey/.test(message)
      ) {
        throw new pulumi.RunError(message);
      }
      await wait(pause);
    }
  }
}

function warned({ address }: Server, look: Look): Look {
  const changes = Object.values(look).flatMap(({ changes }) => changes);
  if (changes.length > 0) {
    void pulumi.log.warn(
      [`${address} was changed by hand; an update puts back:`, ...changes].join(
        "\n  ",
      ),
    );
  }
  return look;
}

/**
 * The script that puts a piece in place, told another word to repair it.
 * @param repair the word, where somebody else has to know it too
 */
export function installRun(
  { look }: Login,
  piece: string,
  { script, environment }: ScriptRun,
  repair = look && repairOf(look, piece),
): ScriptRun {
  return {
    script,
    environment: { ...environment, ...(repair && { REPAIR: repair }) },
  };
}
