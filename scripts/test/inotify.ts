/**
 * The systemd of each machine holds four inotify(7) instances, and kernels give
 * a user 128 by default: root's are those of all machines of all labs.
 */
import { readFileSync, writeFileSync } from "node:fs";

const limitFile = "/proc/sys/fs/inotify/max_user_instances";

/** What the labs of a run hold at most, and the rest of a computer besides. */
const needed = 1024;

/**
 * Raises the limit for as long as this process lives. It holds no resources by
 * itself, so a process that is killed leaves nothing behind that costs anything.
 */
export function raiseInotifyLimit(): void {
  const before = readFileSync(limitFile, "utf8");
  if (Number(before) >= needed) return;
  writeFileSync(limitFile, String(needed));
  process.once("exit", () => {
    writeFileSync(limitFile, before);
  });
}
