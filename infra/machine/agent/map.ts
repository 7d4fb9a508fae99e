import { emptyForRestart, keepForRestart } from "./files.ts";
import type { HaproxyRuntime } from "./haproxy.ts";

/** HAProxy takes commands that fit its buffer of 16 KiB (tune.bufsize) or less. */
const payloadLimit = 3_000;

/**
 * Makes a map what `content` says, on disk and in the running HAProxy. Where the
 * disk does not take it, it is empty for the next start: a map that opens
 * something must not come back as it was.
 * @param content lines of key and value, sorted
 * @returns why it is not kept for the next start
 * @throws Error with HAProxy's words
 */
export async function applyMap(
  file: string,
  content: string,
  haproxy: Pick<HaproxyRuntime, "command">,
): Promise<Error | undefined> {
  // First the file, or a restart in between would bring the old one back.
  const unkept = await keepForRestart(file, content);
  if (unkept) await emptyForRestart(file);
  await putToWork(file, content, haproxy);
  return unkept;
}

/**
 * Makes a map what `content` says in the running HAProxy alone. It changes at
 * once as a whole, so that no request meets half of it.
 * @param content lines of key and value, sorted
 * @throws Error with HAProxy's words
 */
export async function putToWork(
  file: string,
  content: string,
  haproxy: Pick<HaproxyRuntime, "command">,
): Promise<void> {
  if (normal(await haproxy.command(`show map ${file}`)) === content) return;
  const prepared = await haproxy.command(`prepare map ${file}`);
  const version = /New version created: (\d+)/.exec(prepared)?.[1];
  if (version === undefined) throw new Error(`map ${file}: ${prepared}`);
  for (const payload of payloads(content)) {
    const added = await haproxy.command(
      `add map @${version} ${file} <<\n${payload}`,
    );
    if (added !== "") throw new Error(`map ${file}: ${added}`);
  }
  const committed = await haproxy.command(`commit map @${version} ${file}`);
  if (committed !== "") throw new Error(`map ${file}: ${committed}`);
}

/** The lines of a map, as many at a time as one command may carry. */
function payloads(content: string): string[] {
  const all: string[] = [];
  for (const line of content.match(/.+\n/g) ?? []) {
    const last = all.at(-1);
    if (last === undefined || last.length + line.length > payloadLimit) {
      all.push(line);
    } else {
      all[all.length - 1] = last + line;
    }
  }
  return all;
}

/** `show map` puts an address before each entry. */
function normal(shown: string): string {
  return shown
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => `${line.replace(/^0x[0-9a-f]+ /, "")}\n`)
    .sort()
    .join("");
}
