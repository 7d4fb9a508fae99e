import { setTimeout as sleep } from "node:timers/promises";
import { lab, sandboxExec } from "./lab.ts";

/**
 * A sandbox for one suite alone: what it does to it is nobody else's.
 * @returns its id, once its toolbox answers
 */
export async function addSandbox(): Promise<string> {
  const added = await lab(["sandbox", "add"]);
  const id = added.stdout.trim();
  if (id === "") throw new Error(added.stderr);
  for (let attempt = 0; ; attempt++) {
    const { exitCode, result } = await sandboxExec(id, "true");
    if (exitCode === 0) return id;
    if (attempt === 600) throw new Error(result);
    await sleep(100);
  }
}

export async function removeSandbox(id: string): Promise<void> {
  await lab(["sandbox", "remove", id]);
}
