/**
 * Where a gateway's programs find the network that sandboxes are in: the
 * server's own, or that of the container which Daytona's runner is in.
 */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { state } from "../machine/places.ts";
import { type Docker, dockerInside, serverDocker } from "./docker.ts";

/** There while the runner is in a container; a restart of the server keeps it. */
export const layoutFile = `${state}/gateway/runner-container`;

const directory = "/run/daytona-gateway-runner";
/** The network namespace that the gateway's units join. */
export const namespaceFile = `${directory}/namespace`;
/** Which container that is of; absent where it is the server's own. */
export const attachedFile = `${directory}/attached.json`;
/** What the server's wall lets pass, for whoever loads it. */
export const openFile = `${directory}/open.nft`;

const attached = z.object({
  container: z.string(),
  /** Its first process, as the server numbers it. */
  pid: z.int(),
  /** IPv4 addresses of its neighbours. */
  names: z.record(z.string(), z.array(z.string())),
});

export type Attached = z.infer<typeof attached>;

/** @returns undefined where the sandboxes' Docker is the server's own */
export function readAttached(): Attached | undefined {
  try {
    return attached.parse(JSON.parse(readFileSync(attachedFile, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The Docker that sandboxes are containers of, and the container that it is in. */
export function sandboxDocker(): { docker: Docker; runner?: string } {
  const it = readAttached();
  return it
    ? { docker: dockerInside(it.pid), runner: it.container }
    : { docker: serverDocker };
}
