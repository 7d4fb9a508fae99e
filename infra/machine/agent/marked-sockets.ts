/**
 * Ends connections between HAProxy and the other side, from outside of HAProxy:
 * it marks each with a hash of what it is for (set-bc-mark in haproxy.cfg), and
 * the kernel can end marked sockets (ss -K, CONFIG_INET_DIAG_DESTROY).
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";

const run = promisify(execFile);

/**
 * When to cut again after a change, in milliseconds: HAProxy sends a request
 * that was not answered yet a second and a third time, and one that was let in
 * just before may still be on its way.
 */
const passes = [0, 250, 500, 1_000];

/** Cuts what is open for any of these; HAProxy's converter crc32 gives the marks. */
export async function cutMarked(subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  const marks = new Set(subjects.map((subject) => crc32(subject)));
  await cutMarks((mark) => marks.has(mark));
}

/** Cuts what is open with such a mark. */
export async function cutMarks(
  isMeant: (mark: number) => boolean,
): Promise<void> {
  for (const pause of passes) {
    await sleep(pause);
    // Asked first which there are: a rule list may lose a thousand at once.
    const { stdout } = await run("ss", ["-H", "-t", "-n", "-e"], {
      maxBuffer: 1 << 28,
    });
    const open = new Set(
      [...stdout.matchAll(/\bfwmark:(0x[0-9a-f]+)/g)].map(([, mark]) =>
        Number(mark),
      ),
    );
    for (const mark of [...open].filter(isMeant)) {
      const filter = ["fwmark", "=", `0x${mark.toString(16)}`];
      await run("ss", ["-H", "-K", "-t", ...filter]);
    }
  }
}
