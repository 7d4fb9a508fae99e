/** What machines logged, wherever it is kept. */
import * as z from "zod";

export interface JournalEntry {
  /** Unix time in milliseconds. */
  readonly time: number;
  /** For example "daytona-gateway.service". */
  readonly unit: string;
  readonly message: string;
}

/** An entry of `journalctl -o json` (Journal Export Formats, JSON). */
const entry = z.looseObject({
  __REALTIME_TIMESTAMP: z.string(),
  _SYSTEMD_UNIT: z.string(),
  // Bytes that are no text come as a list of numbers.
  MESSAGE: z.union([
    z.string(),
    z
      .array(z.int().min(0).max(255))
      .transform((bytes) => Buffer.from(bytes).toString()),
  ]),
});

/** Entries among lines of `journalctl -o json`; other lines are none. */
export function journalEntries(journal: string): JournalEntry[] {
  return journal.split("\n").flatMap((line) => {
    const parsed = entry.safeParse(json(line));
    if (!parsed.success) return [];
    const { __REALTIME_TIMESTAMP, _SYSTEMD_UNIT, MESSAGE } = parsed.data;
    return [
      {
        time: Math.floor(Number(__REALTIME_TIMESTAMP) / 1000),
        unit: _SYSTEMD_UNIT,
        message: MESSAGE,
      },
    ];
  });
}

/** A value out of JSON, or undefined when it is none. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
