/** Sandboxes as systemd units of this machine: `sandbox@ID.service`. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { shellCommand } from "../shell-command.ts";
import { type SandboxRecord, addressesOf, standardSnapshot } from "./record.ts";
import type { SandboxRuntime } from "./sandboxes.ts";

const execute = promisify(execFile);

/** Port of the toolbox in every sandbox. */
const toolboxPort = 2280;

/** How long a sandbox may take until its toolbox answers, in milliseconds. */
const startLimit = 30_000;

export interface SystemdSandboxesArgs {
  /** Directory of what the units read. */
  readonly units: string;
  /** Directory of the sandboxes' writable layers. */
  readonly layers: string;
  /** Directory of snapshots beside the standard one, by their names. */
  readonly snapshots: string;
}

export function systemdSandboxes(args: SystemdSandboxesArgs): SandboxRuntime {
  const { units, layers, snapshots } = args;
  const stop = (id: string) => execute("systemctl", ["stop", unitOf(id)]);
  const rootOf = (snapshot: string) =>
    snapshot === standardSnapshot
      ? "/srv/sandbox-image"
      : join(snapshots, snapshot);
  return {
    hasSnapshot: (name) =>
      /^[a-z0-9][a-z0-9-]*$/.test(name) && existsSync(rootOf(name)),
    toolbox: ({ number }) => ({
      host: addressesOf(number).address,
      port: toolboxPort,
    }),
    async start(record) {
      await mkdir(units, { recursive: true, mode: 0o700 });
      await writeFile(
        join(units, `${record.id}.env`),
        unitEnvironment(record, rootOf(record.snapshot)),
      );
      await writeFile(
        join(units, `${record.id}.environment`),
        sandboxEnvironment(record),
        { mode: 0o600 },
      );
      await execute("systemctl", ["start", unitOf(record.id)]);
      await waitForToolbox(record);
    },
    async stop({ id }) {
      await stop(id);
    },
    async destroy({ id }) {
      await stop(id);
      await execute("systemctl", ["reset-failed", unitOf(id)]).catch(() => {
        // It did not fail: there is nothing to reset.
      });
      await rm(join(layers, id), { recursive: true, force: true });
      await rm(join(units, `${id}.env`), { force: true });
      await rm(join(units, `${id}.environment`), { force: true });
    },
  };
}

function unitOf(id: string): string {
  return `sandbox@${id}.service`;
}

function unitEnvironment(record: SandboxRecord, image: string): string {
  const { address, address6, mac } = addressesOf(record.number);
  return [
    `SANDBOX_IMAGE=${image}`,
    `SANDBOX_LINK=sb${String(record.number)}`,
    `SANDBOX_ADDRESS=${address}`,
    `SANDBOX_ADDRESS6=${address6}`,
    `SANDBOX_MAC=${mac}`,
    "",
  ].join("\n");
}

/** Lines that a shell reads: the variables that the sandbox was created with. */
function sandboxEnvironment({ env }: SandboxRecord): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${shellCommand([value])}\n`)
    .join("");
}

async function waitForToolbox(record: SandboxRecord): Promise<void> {
  const url = `http://${addressesOf(record.number).address}:${String(toolboxPort)}/version`;
  let last: unknown;
  for (const deadline = Date.now() + startLimit; Date.now() < deadline;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (answer.ok) return;
      last = `status ${String(answer.status)}`;
    } catch (error) {
      last = error instanceof Error ? (error.cause ?? error) : error;
    }
    await sleep(20);
  }
  throw new Error(
    `The toolbox of sandbox ${record.id} does not answer at ${url}: ${String(last)}; see "journalctl -u ${unitOf(record.id)}".`,
  );
}
