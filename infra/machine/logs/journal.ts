/** The machine's journal, as rows for a log elsewhere. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as z from "zod";

/** One entry of the journal. */
export interface Row {
  /** Where the journal goes on after it. */
  readonly cursor: string;
  /** Unix time in milliseconds. */
  readonly timestamp: number;
  /** One JSON object. */
  readonly message: string;
}

/**
 * Characters of what a unit says, far beyond what ours say. Escaped as JSON
 * they are less than the 1 MB that CloudWatch takes of one event.
 */
const longestText = 65_536;

/** An entry as `journalctl --output=json` prints it: https://systemd.io/JOURNAL_EXPORT_FORMATS/ */
const entry = z.object({
  __CURSOR: z.string(),
  __REALTIME_TIMESTAMP: z.string().regex(/^\d+$/),
  // Bytes that are no text come as a list of numbers; of several, the last counts.
  MESSAGE: z
    .union([z.string(), z.array(z.int().min(0).max(255))])
    .transform((said) =>
      (typeof said === "string" ? said : Buffer.from(said).toString()).slice(
        0,
        longestText,
      ),
    )
    .catch(""),
  // Whom systemd itself speaks about; else who speaks.
  UNIT: z.string().optional(),
  _SYSTEMD_UNIT: z.string().optional(),
});

/** Where the journal can be taken up; what is none would end journalctl. */
export const cursorPattern = /^s=[0-9a-f]{32};[a-z0-9=;]+$/;

export interface JournalPart {
  readonly units: readonly string[];
  /** Rows after this one; all that there are when absent. */
  readonly after: string | undefined;
  /** Whether to wait for rows to come. */
  readonly follow: boolean;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/**
 * Rows of units, in the journal's order. Whoever takes none lets journalctl
 * wait: nothing piles up here.
 * @throws Error when journalctl fails
 */
export async function* journalRows(part: JournalPart): AsyncGenerator<Row> {
  const journalctl = spawn(
    "journalctl",
    [
      "--quiet",
      ...(part.follow ? ["--follow", "--no-tail"] : []),
      // Without it, following begins with this boot: https://github.com/systemd/systemd/pull/27696
      "--merge",
      // Without --all, text beyond 4096 bytes comes as null (journalctl(1)).
      "--all",
      "--output=json",
      "--output-fields=MESSAGE,UNIT,_SYSTEMD_UNIT",
      ...(part.after === undefined ? [] : [`--after-cursor=${part.after}`]),
      ...part.units.map((unit) => `--unit=${unit}`),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const end = new Promise<number | null>((resolve, reject) => {
    journalctl.once("close", resolve).once("error", reject);
  });
  // A failure is met below; until then it shall not end the process.
  end.catch(() => undefined);
  const stop = () => {
    journalctl.kill();
  };
  part.signal?.addEventListener("abort", stop);
  try {
    for await (const line of createInterface(journalctl.stdout)) {
      const row = rowOf(line);
      if (row) yield row;
    }
    const code = await end;
    if (part.signal?.aborted !== true && code !== 0) {
      throw new Error(`journalctl ended with ${String(code)}`);
    }
  } finally {
    part.signal?.removeEventListener("abort", stop);
    stop();
  }
}

/**
 * A line of `journalctl --output=json` as a row: what a unit said as JSON as it
 * is, else as a text, and either way whose it is. Nothing for what is no entry.
 */
export function rowOf(line: string): Row | undefined {
  const parsed = entry.safeParse(json(line));
  if (!parsed.success) return undefined;
  const { __CURSOR, __REALTIME_TIMESTAMP, MESSAGE, UNIT, _SYSTEMD_UNIT } =
    parsed.data;
  const said = json(MESSAGE);
  const fields =
    typeof said === "object" && said !== null && !Array.isArray(said)
      ? said
      : { message: MESSAGE };
  const unit = (UNIT ?? _SYSTEMD_UNIT ?? "").replace(/\.service$/, "");
  return {
    cursor: __CURSOR,
    timestamp: Math.floor(Number(__REALTIME_TIMESTAMP) / 1000),
    message: JSON.stringify({ ...fields, unit }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
