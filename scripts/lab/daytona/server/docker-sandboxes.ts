/** Sandboxes as containers of this machine's Docker, as Daytona's runner makes them. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type SandboxRecord, addressesOf, standardSnapshot } from "./record.ts";
import type { SandboxRuntime } from "./sandboxes.ts";

const execute = promisify(execFile);

/** Port of the toolbox in every sandbox. */
const toolboxPort = 2280;

/** How long a sandbox may take until its toolbox answers, in milliseconds. */
const startLimit = 30_000;

/** Programs of this machine that every sandbox gets, as Daytona's daemon. */
const programs = "/usr/local/lib/daytona-lab";
const mounted = [
  "usr/local/bin/entrypoint",
  "usr/local/bin/app",
  "usr/local/lib/daytona",
];

/**
 * @param snapshots directory of snapshots beside the standard one, by their names
 * @param hasIpv6 whether the runner's network has IPv6, which is the lab's own
 */
export function dockerSandboxes(
  snapshots: string,
  hasIpv6: boolean,
): SandboxRuntime {
  const docker = async (...argv: string[]) =>
    (await execute("docker", argv)).stdout;
  const stop = async ({ id }: SandboxRecord) => {
    if (await exists(id)) await docker("stop", id);
  };
  const exists = (id: string) =>
    docker("container", "inspect", id).then(
      () => true,
      () => false,
    );
  return {
    hasSnapshot: (name) =>
      name === standardSnapshot ||
      (/^[a-z0-9][a-z0-9-]*$/.test(name) && existsSync(join(snapshots, name))),
    toolbox: ({ number }) => ({
      host: addressesOf(number).address,
      port: toolboxPort,
    }),
    async start(record) {
      if (await exists(record.id)) {
        await docker("start", record.id);
      } else {
        if (record.snapshot !== standardSnapshot) {
          await execute(join(programs, "import-snapshot.sh"), [
            record.snapshot,
          ]);
        }
        await docker("run", ...runOptions(record, hasIpv6));
      }
      await waitForToolbox(record);
    },
    stop,
    async destroy({ id }) {
      await docker("rm", "--force", "--volumes", id);
    },
  };
}

/** Privileged and in the runner's network, as Daytona v0.190.0 makes them. */
function runOptions(
  { id, number, env, snapshot }: SandboxRecord,
  hasIpv6: boolean,
): string[] {
  const { address, address6 } = addressesOf(number);
  const variables = { DAYTONA_SANDBOX_ID: id, ...env };
  return [
    ...["--detach", "--name", id, "--hostname", id, "--privileged"],
    ...["--network", "runner-bridge", "--ip", address],
    ...(hasIpv6 ? ["--ip6", address6] : []),
    ...Object.entries(variables).flatMap(([name, value]) => [
      "--env",
      `${name}=${value}`,
    ]),
    ...mounted.flatMap((path) => [
      "--volume",
      `${join(programs, "snapshot", path)}:/${path}:ro`,
    ]),
    snapshot,
    "/usr/local/bin/entrypoint",
  ];
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
    `The toolbox of sandbox ${record.id} does not answer at ${url}: ${String(last)}; see "docker logs ${record.id}".`,
  );
}
