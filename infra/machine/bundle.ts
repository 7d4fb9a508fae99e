/**
 * A bundle turns a bare Debian 13 into an edge, a gateway or the place where
 * certificates are made. It is plain data:
 * a pure function of the stack's configuration, the same for cloud-init (aws,
 * local) and for SSH (host). No secret is ever in a bundle: secrets are live
 * state, which the machine's agent pulls.
 */
export interface Bundle {
  readonly name: "base-system" | "edge" | "gateway" | "certificate" | "server";
  /** Debian packages that the machine itself must have. */
  readonly packages: readonly string[];
  /** Its programs are those of the base system (base-system/bundle.ts). */
  readonly onBaseSystem?: boolean;
  readonly files: readonly BundleFile[];
  /** systemd units that are enabled and started, in this order. */
  readonly units: readonly string[];
  /** Those of them that hold connections, which an install never ends. */
  readonly holders?: readonly string[];
  /** Absolute path of the bundle's own script that checks its files. */
  readonly check: string;
  /** Absolute path of its own script that undoes what its units leave behind. */
  readonly undo?: string;
  /** What it loads or makes beside its files: walls, say. */
  readonly rules?: {
    /** Unit that loads them, also when it is reloaded; none where an install does. */
    readonly unit?: string;
    /** Absolute path of its own script that prints how those in force differ. */
    readonly differences: string;
  };
  /** What its programs listen at, for example "tcp 443 169.254.20.1"; "*" is every address. */
  readonly ports: readonly string[];
  /** Address that answers 200 while its programs serve; they may need state first. */
  readonly health?: string;
  /** Networks of sandboxes that must not be behind a container it does not know. */
  readonly sandboxes?: readonly string[];
  /** Address whose answers say what time it is. */
  readonly clock?: string;
}

export interface BundleFile {
  /** Absolute path on the machine. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits, for example 0o644. The owner is always root. */
  readonly mode: number;
}
