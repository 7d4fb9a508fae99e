/**
 * Finds the network that sandboxes are in, and joins the gateway's units to it.
 * Where Daytona's runner is a container, that is the container's, a new one at
 * each of its starts: nothing leaves it before the walls stand in it.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readlink, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { lib, state } from "../machine/places.ts";
import { messageOf } from "../machine/agent/message-of.ts";
import { monitor } from "../machine/agent/monitor.ts";
import { writeAtomically } from "../machine/write-atomically.ts";
import {
  type Container,
  type DockerState,
  dockerState,
  runningContainers,
  serverDocker,
} from "./docker.ts";
import { watchDocker } from "./docker-watch.ts";
import { nftablesChanges } from "./firewall-guard.ts";
import { links, namespacesOf } from "./links.ts";
import { sandboxesAmong } from "./ports.ts";
import {
  isEveryPortKnown,
  isRunner,
  neighbourNames,
  openPorts,
} from "./runner.ts";
import {
  type Attached,
  attachedFile,
  layoutFile,
  namespaceFile,
  openFile,
  readAttached,
} from "./runner-place.ts";

const run = promisify(execFile);
const firewall = `${lib}/firewall-gateway.sh`;
/** Names of the ports in the sandboxes' network, for who loads the firewall. */
const portsFile = `${state}/gateway/ports/ports.nft`;
/** How often the server's wall is looked at without a change, in ms. */
const lookAgain = 10_000;
/** Other programs change several things in a row, in ms. */
const settling = 50;

/** Units that are in the sandboxes' network; each starts after the one before. */
const members = [
  "daytona-gateway-network.service",
  "daytona-gateway-recursor.service",
  "daytona-gateway-resolver.service",
  "daytona-gateway.service",
  "daytona-gateway-log.service",
  "daytona-gateway-agent.service",
];

/** The container whose network has its walls; its first process. */
let walled: number | undefined;

const log = (line: string) => {
  console.log(`runner: ${line}`);
};

const isInContainer = () => existsSync(layoutFile);

/** A container in a network of its own, which is not the server's. */
async function isApart({ pid }: Container): Promise<boolean> {
  const own = await readlink("/proc/1/ns/net");
  const its = await readlink(`/proc/${String(pid)}/ns/net`).catch(() => own);
  return its !== own;
}

async function runnersOf(docker: DockerState): Promise<Container[]> {
  const found: Container[] = [];
  for (const container of docker.containers.filter(isRunner)) {
    if (await isApart(container)) found.push(container);
  }
  return found;
}

/** One look at the server's Docker, and what follows of it. */
async function lookOnce(): Promise<boolean> {
  if (!isInContainer()) {
    const running = await runningContainers(serverDocker);
    if (!running.some(isRunner)) return true;
  }
  const docker = await dockerState(serverDocker);
  const runners = await runnersOf(docker);
  if (runners.length === 0 && !isInContainer()) return true;
  const [runner, ...more] = runners;
  if (runner && !isInContainer()) {
    await writeAtomically(layoutFile, `${runner.name}\n`, 0o600);
    // What stands here for sandboxes of this server's own network.
    await run(`${lib}/undo-gateway.sh`, ["here"]);
  }
  // The next one may have its number.
  if (!runner) walled = undefined;
  const isWhole = await applyOpen(docker);
  if (more.length > 0) {
    throw new Error(
      `${runners.map(({ name }) => name).join(" and ")} are runners of Daytona, and a gateway stands before one; nothing leaves any other: stop all but one`,
    );
  }
  if (runner && runner.pid !== walled) {
    await wall(runner, docker);
    await applyOpen(docker);
    await run("systemctl", ["--no-block", "restart", ...members]);
    log(`${runner.name} is behind its walls`);
  } else if (runner) {
    await tell(runner, docker);
  }
  return isWhole;
}

/**
 * What is open of the server, in force; the file first, for whoever loads the
 * wall meanwhile.
 */
async function applyOpen(docker: DockerState): Promise<boolean> {
  const [present, namespaces] = await Promise.all([
    links(),
    namespacesOf(
      serverDocker,
      docker.containers.map(({ pid }) => pid),
    ),
  ]);
  const namespaceOf = (pid: number) => namespaces.get(pid);
  // Of a runner that uses this Docker: no gateway is before them any more.
  const astray = sandboxesAmong(docker);
  const open = openPorts(docker, present, namespaceOf, (container) =>
    isRunner(container) ? container.pid === walled : !astray.has(container),
  );
  const elements =
    open.length === 0
      ? ""
      : `add element bridge daytona_runner open { ${open.map((it) => `"${it}"`).join(", ")} }\n`;
  await writeAtomically(openFile, elements, 0o600);
  const flush = "flush set bridge daytona_runner open\n";
  const filling = run("nft", ["-f", "-"]);
  filling.child.stdin?.end(flush + elements);
  await filling.catch(() => run(firewall));
  return isEveryPortKnown(docker, present, namespaceOf);
}

/** Joins a runner's network to the gateway, and loads the walls in it. */
async function wall(runner: Container, docker: DockerState): Promise<void> {
  walled = undefined;
  await attach(`/proc/${String(runner.pid)}/ns/net`);
  await tell(runner, docker);
  // Names of ports are others after each start.
  await writeAtomically(portsFile, "", 0o600);
  await run("nsenter", [`--net=/proc/${String(runner.pid)}/ns/net`, firewall]);
  walled = runner.pid;
}

/** What the agent needs to know of the runner, where that has changed. */
async function tell(runner: Container, docker: DockerState): Promise<void> {
  const attached: Attached = {
    container: runner.name,
    pid: runner.pid,
    names: neighbourNames(docker, runner),
  };
  await writeAtomically(attachedFile, JSON.stringify(attached), 0o644);
}

/**
 * Makes the namespace the one that the units join. In the mounts of the server's
 * first process, where systemd looks for it.
 * @param namespace path of one; an empty one when absent
 */
async function attach(namespace?: string): Promise<void> {
  // Lazily, for systemd may look at it.
  const script = `! mountpoint --quiet "$1" || umount --lazy "$1"
    : >"$1"
    if [ -n "$2" ]; then mount --bind "$2" "$1"; else unshare --net="$1" true; fi`;
  await run("nsenter", [
    ...["--target=1", "--mount", "--", "sh", "-ec", script, "attach"],
    ...[namespaceFile, namespace ?? ""],
  ]);
}

/** Whether the units' namespace is that of a process. */
async function isAttachedTo(pid: number): Promise<boolean> {
  const { stdout } = await run("nsenter", [
    ...["--target=1", "--mount", "--", "stat", "--format=%i", "--dereference"],
    ...[namespaceFile, `/proc/${String(pid)}/ns/net`],
  ]).catch(() => ({ stdout: "" }));
  const [is, wanted] = stdout.trim().split("\n");
  return wanted !== undefined && is === wanted;
}

/** Loads the server's wall again when another program took it away. */
async function ensureWall(): Promise<void> {
  if (!isInContainer()) return;
  const { stdout } = await run("nft", ["list", "tables", "bridge"]);
  if (stdout.includes("table bridge daytona_runner")) return;
  await run(firewall);
  log("the server's wall was away, is loaded again");
}

/** @returns what looks at the wall; what comes meanwhile is one more look */
function guardWall(): () => void {
  let isWanted = false;
  let isRunning = false;
  return () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    void (async () => {
      while (isWanted) {
        isWanted = false;
        await ensureWall().catch((error: unknown) => {
          log(messageOf(error));
        });
        await sleep(settling);
      }
      isRunning = false;
    })();
  };
}

/** Finds what an earlier one of this program has walled. */
async function resume(): Promise<void> {
  const before = readAttached();
  if (!before || !(await isAttachedTo(before.pid))) return;
  const { stdout } = await run("nsenter", [
    `--net=/proc/${String(before.pid)}/ns/net`,
    ...["nft", "list", "tables"],
  ]);
  const tables = stdout.split("\n");
  const isWalled = ["inet", "bridge"].every((family) =>
    tables.includes(`table ${family} daytona_egress`),
  );
  if (isWalled) walled = before.pid;
}

/**
 * Runs for ever. It is ready once the units have a network to join: the
 * server's own, or, until the runner is there, an empty one.
 */
export async function runRunnerWatch(): Promise<void> {
  await resume();
  if (walled === undefined) {
    await rm(attachedFile, { force: true });
    await lookOnce().catch((error: unknown) => {
      // A server whose Docker does not answer yet has no sandboxes yet.
      log(messageOf(error));
    });
  }
  if (walled === undefined) {
    await attach(isInContainer() ? undefined : "/proc/1/ns/net");
  }
  await run("systemd-notify", ["--ready"]);
  const lookAtWall = guardWall();
  void monitor(nftablesChanges, lookAtWall, log);
  setInterval(lookAtWall, lookAgain);
  const look = watchDocker(serverDocker, "runner", lookOnce);
  // Others than Docker have ports of that kind, which are closed until then.
  void monitor(["ip", "monitor", "link"], look, log);
}
