/** What of a server an install could have touched. */
import { labExec } from "../lab.ts";

/** What a server writes by itself, and what its Daytona does. */
const notOurs = [
  "/run/log",
  "/run/motd.dynamic",
  "/run/systemd",
  "/run/udev",
  "/run/containerd",
  "/run/docker",
  "/var/lib/containerd",
  "/var/lib/daytona-lab",
  // What Caddy keeps of its own certificates.
  "/var/lib/caddy",
  "/var/lib/docker",
  "/var/log/journal",
  // What apt and dpkg keep of their own work.
  "/var/cache/apt",
  "/var/lib/dpkg",
  "/var/log/alternatives.log",
  "/var/log/apt",
  "/var/log/dpkg.log",
];

export async function inventory(
  machine: string,
): Promise<Record<string, string>> {
  const onServer = async (line: string) => {
    const { stdout } = await labExec(machine, ["sh", "-c", line]);
    return stdout;
  };
  const prune = notOurs.map((path) => `-path '${path}'`).join(" -o ");
  return {
    files: await onServer(
      `find /etc /usr/local /var /run /root -xdev \\( ${prune} \\) -prune -o -type f -print | sort`,
    ),
    units: await onServer(
      "systemctl list-unit-files --no-legend --plain --state=enabled,disabled | sort; systemctl list-units --all --no-legend --plain 'daytona*' | cut -d' ' -f1",
    ),
    users: await onServer("cat /etc/passwd /etc/group"),
    packages: await onServer("dpkg-query -W"),
    // Docker closes what it does not forward once it starts beside forwarding.
    ruleset: await onServer(
      "nft --stateless list ruleset | sed '/hook forward/s/policy [a-z]*;//' | sort",
    ),
    addresses: await onServer(
      "ip -o address show scope global | awk '{print $2, $4}' | sort",
    ),
    rules: await onServer("ip rule show; ip -6 rule show"),
    ports: await onServer(
      "ip neigh show nud permanent; bridge fdb | grep sticky; bridge -d link | grep -o 'isolated on'; true",
    ),
  };
}
