/** What stands on a machine's disk before it boots for the first time. */
import { readdirSync } from "node:fs";
import {
  chmod,
  mkdir,
  rename,
  rm,
  rmdir,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "./command.ts";
import type { MachineFile, MachineSpec } from "./machine-spec.ts";

/**
 * Where a machine has the layers of its images: not below what Docker holds, for
 * Docker unmounts there whatever it finds when it stops.
 */
const layers = "/srv/layers";

/**
 * Lays a machine's disk: its own layer over the image, and the options that it
 * boots with.
 * @param machines directory of all machines
 */
export async function layDisk(
  machines: string,
  spec: MachineSpec,
): Promise<void> {
  // A half-laid disk, after a kill, is never taken for a machine.
  const directory = join(machines, `.${spec.name}`);
  await rm(directory, { recursive: true, force: true });
  for (const part of ["upper", "work", "root"]) {
    await mkdir(join(directory, part), { recursive: true });
  }
  for (const file of [...commonFiles(spec), ...spec.files]) {
    await lay(join(directory, "upper"), file);
  }
  for (const unit of spec.units) {
    await enable(join(directory, "upper"), unit, spec);
  }
  if (spec.containers)
    await layContainers(directory, "docker", spec.containers);
  if (spec.containers && spec.innerContainers) {
    await layContainers(directory, "inner-docker", spec.containers);
  }
  await writeFile(join(directory, "release"), spec.release ?? "trixie");
  await writeFile(
    join(directory, "options.json"),
    JSON.stringify([
      ...(spec.binds ?? []).map(
        (bind) =>
          `--bind${bind.readOnly ? "-ro" : ""}=${bind.host}:${bind.machine}`,
      ),
      ...(spec.containers
        ? dockerOptions(join(machines, spec.name), spec.containers)
        : []),
      ...(spec.innerContainers
        ? [
            `--bind=${join(machines, spec.name, "inner-docker")}:${spec.innerContainers}`,
          ]
        : []),
    ]),
  );
  await rename(directory, join(machines, spec.name));
}

/** What Docker holds at first, whose layers are never written. */
async function layContainers(
  directory: string,
  name: string,
  containers: string,
): Promise<void> {
  const data = join(directory, name);
  await run(["cp", "--archive", join(containers, "data"), data]);
  for (const layer of readdirSync(join(containers, "layers"))) {
    const place = join(data, "overlay2", layer, "diff");
    await rmdir(place);
    await symlink(join(layers, layer), place);
  }
}

/**
 * What Docker in a machine needs of the computer: runc asks for keyrings and
 * for programs of control groups, and layers of overlay2 cannot lie on the
 * overlay that is the machine's root.
 * @param directory the machine's own
 * @param containers what Docker holds at first; its layers are never written
 */
function dockerOptions(directory: string, containers: string): string[] {
  return [
    "--capability=all",
    "--drop-capability=CAP_SYS_MODULE",
    "--system-call-filter=@keyring bpf",
    `--bind=${join(directory, "docker")}:/var/lib/docker`,
    `--bind-ro=${join(containers, "layers")}:${layers}`,
  ];
}

function commonFiles(spec: MachineSpec): MachineFile[] {
  const hasUserData = spec.files.some((file) =>
    file.path.startsWith("/var/lib/cloud/seed/"),
  );
  return [
    { path: "/etc/hostname", content: `${spec.name}\n` },
    {
      path: "/etc/hosts",
      content: `127.0.0.1 localhost\n::1 localhost\n${spec.address} ${spec.name}\n`,
    },
    { path: "/etc/resolv.conf", content: "nameserver 198.18.0.2\n" },
    {
      path: "/etc/lab/network.env",
      content: [
        `LAB_ADDRESS=${spec.address}`,
        `LAB_ADDRESS6=${spec.address6}`,
        `LAB_ROUTER=${spec.name === "internet" ? "198.18.0.1" : "198.18.0.2"}`,
        `LAB_ROUTER6=2001:db8:198:18::${spec.name === "internet" ? "1" : "2"}`,
        "",
      ].join("\n"),
    },
    ...(hasUserData
      ? []
      : [{ path: "/etc/cloud/cloud-init.disabled", content: "" }]),
  ];
}

async function lay(upper: string, file: MachineFile): Promise<void> {
  const path = join(upper, file.path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, file.content);
  await chmod(path, file.mode ?? 0o644);
}

/** What `systemctl enable` would do on a machine that runs. */
async function enable(
  upper: string,
  unit: string,
  spec: MachineSpec,
): Promise<void> {
  const own = `/etc/systemd/system/${unit}`;
  const isOwn = spec.files.some((file) => file.path === own);
  const wants = join(upper, "/etc/systemd/system/multi-user.target.wants");
  await mkdir(wants, { recursive: true });
  await symlink(
    isOwn ? own : `/usr/lib/systemd/system/${unit}`,
    join(wants, unit),
  );
}
