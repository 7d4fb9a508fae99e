/** What of a server an install could have touched. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { labExec } from "../lab.ts";

const script = readFileSync(join(import.meta.dirname, "inventory.sh"), "utf8");

/** Lines by part, such as "files". */
export type Inventory = Readonly<Record<string, readonly string[]>>;

export async function inventory(machine: string): Promise<Inventory> {
  const { stdout, stderr, exitCode } = await labExec(machine, ["sh"], {
    input: script,
  });
  if (exitCode !== 0) throw new Error(stderr);
  const [, ...parts] = stdout.split(/^== /m);
  return Object.fromEntries(
    parts.map((part) => {
      const [name = "", ...lines] = part.trimEnd().split("\n");
      return [name, lines];
    }),
  );
}

/** @returns a line for each line that came or went; none where all is the same */
export function changes(before: Inventory, after: Inventory): string[] {
  return Object.keys({ ...before, ...after }).flatMap((part) => {
    const [old = [], now = []] = [before[part], after[part]];
    const lines = [
      ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
      ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
    ];
    const moved = lines.length === 0 && old.join("\n") !== now.join("\n");
    return [...lines, ...(moved ? ["another order"] : [])].map(
      (line) => `${part} ${line}`,
    );
  });
}
