import { expect } from "vitest";
import { edgeAddresses } from "../../scripts/lab/machine-addresses.ts";
import { edgeRows, labCurl, labExec } from "./lab.ts";

/** What an edge's machine knows of the edge's program. */
export interface EdgeHealth {
  /** Process ids of systemd's main process and of its newest worker. */
  readonly main: number;
  readonly worker: number;
  /** Restarts by systemd since the machine started. */
  readonly restarts: number;
  /** Anonymous memory of the worker in bytes: no shared cache, no program. */
  readonly memory: number;
  /** Connections of clients that are open. */
  readonly connections: number;
  /** Now, as journalctl's --since reads it. */
  readonly now: string;
}

const script = `
main=$(systemctl show --value --property=MainPID daytona-edge)
worker=$(pgrep --newest --parent "$main")
echo "main $main"
echo "worker $worker"
echo "restarts $(systemctl show --value --property=NRestarts daytona-edge)"
echo "memory $(awk '/^RssAnon/ {print $2 * 1024}' "/proc/$worker/status")"
echo "connections $(echo 'show info' | socat - /run/daytona-edge/haproxy.sock | awk '/^CurrConns/ {print $2}')"
echo "now $(date +%s.%N)"`;

/** Asks an edge's machine. */
export async function healthOf(machine: string): Promise<EdgeHealth> {
  const { stdout, stderr } = await labExec(machine, ["sh", "-c", script]);
  const values = new Map(
    stdout.split("\n").map((line) => line.split(" ") as [string, string]),
  );
  const number = (name: string) => {
    const value = Number(values.get(name) ?? NaN);
    if (Number.isNaN(value)) {
      throw new Error(`Machine "${machine}" tells no ${name}: ${stderr}`);
    }
    return value;
  };
  return {
    main: number("main"),
    worker: number("worker"),
    restarts: number("restarts"),
    memory: number("memory"),
    connections: number("connections"),
    now: `@${values.get("now") ?? ""}`,
  };
}

/** Lines of the edge's journal since that moment. */
export async function journalSince(
  machine: string,
  since: string,
): Promise<string[]> {
  const { stdout } = await labExec(machine, [
    ...["sh", "-c"],
    `journalctl --sync; journalctl --no-pager --output=cat --unit=daytona-edge --since=${since}`,
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** A row of an edge's log. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Rows of an edge's log since that moment, among the last 50.
 * @param since milliseconds since 1970
 */
export async function rowsSince(
  machine: string,
  since: number,
): Promise<Row[]> {
  // HAProxy's own notices, of a reload for example, are among them.
  const rows = (await edgeRows(machine, 50)).filter((line) =>
    line.startsWith("{"),
  );
  return rows
    .map((line) => JSON.parse(line) as Row)
    .filter(({ time }) => Number(time) >= since);
}

/**
 * The newest row of an edge's log with these fields, of a request since that
 * moment. A row comes after its answer; so this waits for it.
 * @param since milliseconds since 1970
 */
export async function rowOf(
  machine: string,
  since: number,
  fields: Row,
): Promise<Row> {
  let found: Row | undefined;
  await expect
    .poll(
      async () => {
        found = (await rowsSince(machine, since)).findLast((row) =>
          Object.entries(fields).every(([name, value]) => row[name] === value),
        );
        return found;
      },
      { message: `a row of ${machine} with ${JSON.stringify(fields)}` },
    )
    .toBeDefined();
  return found ?? {};
}

/** How many requests to a sandbox an edge has open, streams included. */
export async function openRequests(
  machine: keyof typeof edgeAddresses,
  sandbox: string,
): Promise<number> {
  const { stdout } = await labCurl([
    `http://${edgeAddresses[machine].ipv4}:8404/metrics/sandboxes`,
  ]);
  const pattern = new RegExp(`open_requests\\{sandbox="${sandbox}"\\} (\\d+)`);
  return Number(pattern.exec(stdout)?.[1] ?? 0);
}

/** What a program says that ended in a way it should not have. */
export const crashPattern =
  /crash|segv|sigsegv|sigabrt|core dump|exited with code|watchdog|BUG|FATAL/i;
