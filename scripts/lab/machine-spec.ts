/** Debian 13 and 12, Ubuntu 24.04 and 22.04, by the names of their archives. */
export const releases = ["trixie", "bookworm", "noble", "jammy"] as const;
export type Release = (typeof releases)[number];

/** What a lab machine needs on its disk before it boots. */
export interface MachineSpec {
  readonly name: string;
  /** What it runs; Debian 13 when absent. */
  readonly release?: Release;
  /** IPv4 address on the lab's bridge, without prefix length. */
  readonly address: string;
  /** IPv6 address on the lab's bridge, without prefix length. */
  readonly address6: string;
  readonly files: readonly MachineFile[];
  /** systemd units that start at boot. */
  readonly units: readonly string[];
  readonly binds?: readonly MachineBind[];
  /** A directory of this computer as image/containers.sh makes it: what Docker holds. */
  readonly containers?: string;
  /** Where in the machine a second copy of that lies, for a Docker in a container. */
  readonly innerContainers?: string;
}

export interface MachineFile {
  /** Absolute path in the machine. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits; 0o644 when absent. */
  readonly mode?: number;
}

/** A directory of this computer that the machine sees. */
export interface MachineBind {
  readonly host: string;
  readonly machine: string;
  readonly readOnly: boolean;
}
