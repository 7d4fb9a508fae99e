/**
 * Sends rows of the machine's journal to CloudWatch. What is sent is written
 * down, so that after a restart or a reboot it goes on where it was.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../agent/message-of.ts";
import { settingsFrom } from "../agent/setting.ts";
import { writeAtomically } from "../write-atomically.ts";
import { batches } from "./batches.ts";
import { CloudWatchStream } from "./cloudwatch.ts";
import { cursorPattern, journalRows } from "./journal.ts";
import { type LogStream, ship } from "./ship.ts";

/** How long a row waits for others, in milliseconds. */
const patience = 5_000;
/** How often it says that it is there; an alarm counts on it, in milliseconds. */
const aliveInterval = 60_000;
/** How long it tries to send the last rows, in milliseconds; the unit has 30 s. */
const farewell = 20_000;

const setting = settingsFrom("/etc/daytona-edge/logs/env");
const units = setting("LOGS_UNITS").split(" ");
const cursorFile = join(setting("STATE_DIRECTORY"), "cursor");
const stop = new AbortController();
let sentRows = 0;

/** Where the journal goes on; its beginning when nothing was sent yet. */
async function readCursor(): Promise<string | undefined> {
  try {
    const cursor = (await readFile(cursorFile, "utf8")).trim();
    return cursorPattern.test(cursor) ? cursor : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Sends what there is, or what comes until the signal. */
async function send(
  stream: LogStream,
  part: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const after = await readCursor();
  await ship({
    batches: batches(journalRows({ units, after, ...part }), patience),
    stream,
    pause: { first: 1_000, longest: 60_000 },
    signal: part.signal,
    sent: async (cursor, rows) => {
      await writeAtomically(cursorFile, `${cursor}\n`, 0o600);
      sentRows += rows;
    },
    log: (line) => {
      console.log(line);
    },
  });
}

async function main(): Promise<void> {
  // cloud-init has it of the cloud, which calls the machine so.
  const instance = await readFile("/var/lib/cloud/data/instance-id", "utf8");
  const stream = new CloudWatchStream(
    setting("LOGS_REGION"),
    setting("LOGS_GROUP"),
    instance.trim(),
  );
  await send(stream, { follow: true, signal: stop.signal });
  // The machine may go: what it said until now goes before it.
  const signal = AbortSignal.timeout(farewell);
  await send(stream, { follow: false, signal });
  signal.throwIfAborted();
}

process.once("SIGTERM", () => {
  stop.abort();
});
setInterval(() => {
  console.log(JSON.stringify({ kind: "alive", sentRows }));
}, aliveInterval);
main().then(
  () => process.exit(),
  (error: unknown) => {
    // Who is told to end, and cannot send, ends: nothing is lost.
    if (stop.signal.aborted) {
      console.log(`last rows: sent after the next start: ${messageOf(error)}`);
      process.exit();
    }
    console.error(error);
    process.exit(1);
  },
);
