/**
 * The lab's Daytona machines, "daytona" and others: each a stand-in of a self-hosted Daytona server with
 * its sandboxes, and the way in for the operator who installs the gateway on
 * it. The files of the machine are in files/, its programs are server.ts,
 * toolbox.ts and app.ts. Nothing of the product itself belongs here.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type LoginKeys, loginFiles, loginUnit } from "../login.ts";
import type { MachineFile, MachineSpec, Release } from "../machine-spec.ts";

export interface DaytonaMachineArgs {
  /** Name and addresses in the lab. */
  readonly name: string;
  /** What the server runs; Debian 13 when absent. */
  readonly release?: Release | undefined;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Bundles of server.ts, toolbox.ts and app.ts for Node 20. */
  readonly programs: {
    readonly server: string | Uint8Array;
    readonly toolbox: string | Uint8Array;
    readonly app: string | Uint8Array;
  };
  /**
   * Whether the runner is a container with a Docker of its own, as Daytona's
   * compose file has it; else it uses the machine's.
   */
  readonly isCompose?: boolean;
  /** Key of Daytona's API. */
  readonly apiKey: string;
  /** Key that seals the cookies of Daytona's proxy. */
  readonly proxyApiKey: string;
  /** Domain of the preview addresses. */
  readonly domain: string;
  /** Authority of the lab's web, which sandboxes trust. */
  readonly webCaPem: string;
  readonly login: LoginKeys;
  /**
   * Control group above those of its containers; Docker's own when absent. Where
   * each controller has a tree, a machine sees the computer's.
   */
  readonly containerGroup?: string;
  /** Directory of this computer: what Docker holds, with the sandboxes' image. */
  readonly containers: string;
  /** Directory of this computer with the roots of more snapshots, by their names. */
  readonly snapshots: string;
  /** The sandboxes that exist from the beginning. */
  readonly sandboxes: readonly {
    readonly id: string;
    readonly public: boolean;
    /** Made up when absent. */
    readonly previewToken?: string;
    /** Ports of the app; 3000 when absent. */
    readonly ports?: readonly number[];
  }[];
}

const files = join(import.meta.dirname, "files");
const programDirectory = "/usr/local/lib/daytona-lab";
const snapshot = `${programDirectory}/snapshot`;
const settings = "/etc/daytona-lab";

export function daytonaMachine(args: DaytonaMachineArgs): MachineSpec {
  return {
    name: args.name,
    ...(args.release && { release: args.release }),
    address: args.ipv4,
    address6: args.ipv6,
    files: [
      ...serverFiles(args),
      ...snapshotFiles(args),
      ...loginFiles(args.login),
    ],
    units: [
      ...["containerd.service", "docker.service", loginUnit],
      ...(args.isCompose
        ? ["daytona-compose.service"]
        : ["daytona-host.service", "daytona.service"]),
    ],
    containers: args.containers,
    ...(args.isCompose && { innerContainers: "/srv/runner-docker" }),
    binds: [
      { host: args.snapshots, machine: "/srv/snapshots", readOnly: true },
    ],
  };
}

function serverFiles(args: DaytonaMachineArgs): MachineFile[] {
  const units = args.isCompose
    ? ["daytona-compose.service"]
    : ["daytona.service", "daytona-host.service"];
  const scripts = args.isCompose
    ? ["compose-up.sh", "runner.sh", "control-groups.sh", "import-snapshot.sh"]
    : ["host-up.sh", "control-groups.sh", "import-snapshot.sh"];
  return [
    ...units.map((unit) => copied(unit, `/etc/systemd/system/${unit}`)),
    copied("docker.conf", "/etc/systemd/system/docker.service.d/lab.conf"),
    ...(args.isCompose
      ? []
      : [copied("daemon.json", "/etc/docker/daemon.json")]),
    ...scripts.map((it) => copied(it, `${programDirectory}/${it}`, 0o755)),
    copied("way-out.nft", `${programDirectory}/way-out.nft`),
    {
      path: "/etc/default/docker",
      content: args.containerGroup
        ? `DOCKER_OPTS=--cgroup-parent=${args.containerGroup}\n`
        : "",
    },
    { path: `${programDirectory}/web-ca.pem`, content: args.webCaPem },
    { path: `${programDirectory}/server.cjs`, content: args.programs.server },
    {
      path: `${settings}/daytona.env`,
      content: environment(args),
      mode: 0o600,
    },
    {
      path: `${settings}/sandboxes.json`,
      content: JSON.stringify(initialSandboxes(args)),
      mode: 0o600,
    },
  ];
}

/** What the sandboxes have on top of the image. */
function snapshotFiles({ programs }: DaytonaMachineArgs): MachineFile[] {
  const bin = `${snapshot}/usr/local/bin`;
  const lib = `${snapshot}/usr/local/lib/daytona`;
  return [
    copied("snapshot/entrypoint", `${bin}/entrypoint`, 0o755),
    copied("snapshot/app", `${bin}/app`, 0o755),
    { path: `${lib}/toolbox.cjs`, content: programs.toolbox },
    { path: `${lib}/app.cjs`, content: programs.app },
  ];
}

function environment(args: DaytonaMachineArgs): string {
  return [
    `DAYTONA_API_KEY=${args.apiKey}`,
    `PROXY_API_KEY=${args.proxyApiKey}`,
    `PROXY_DOMAIN=${args.domain}`,
    "PROXY_PROTOCOL=https",
    `OIDC_DOMAIN=http://${args.ipv4}:5556/dex`,
    "OIDC_CLIENT_ID=daytona",
    `INITIAL_SANDBOXES=${settings}/sandboxes.json`,
    "SANDBOX_SNAPSHOTS=/srv/snapshots",
    `SANDBOX_IPV6=${args.isCompose ? "no" : "yes"}`,
    "",
  ].join("\n");
}

function initialSandboxes({ sandboxes }: DaytonaMachineArgs) {
  return sandboxes.map(({ ports, ...sandbox }) => ({
    ...sandbox,
    env: ports ? { APP_PORTS: ports.join(" ") } : {},
  }));
}

function copied(name: string, path: string, mode?: number): MachineFile {
  const content = readFileSync(join(files, name));
  return { path, content, ...(mode === undefined ? {} : { mode }) };
}
