import { setTimeout as sleep } from "node:timers/promises";
import { afterAll } from "vitest";
import type { Target } from "./fixtures/target.ts";
import { lab, sandboxExec } from "./lab.ts";
import { type SandboxServer, startInSandbox } from "./sandbox-server.ts";
import { edgesFor } from "./targets.ts";

/** A program in a sandbox of its own, behind both edges, as long as the suite runs. */
export async function ownApplication(
  program: string,
  port: number,
): Promise<{ targets: Target[]; application: SandboxServer }> {
  const sandbox = await addSandbox();
  afterAll(() => removeSandbox(sandbox));
  return {
    targets: await edgesFor(sandbox, port),
    application: await startInSandbox(sandbox, program, port),
  };
}

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
