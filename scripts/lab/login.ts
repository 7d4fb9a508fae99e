/** How the operator of a machine logs in, as on any server: SSH, with one key. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineFile } from "./machine-spec.ts";

export interface LoginKeys {
  /** The only key that root may log in with; a line of authorized_keys(5). */
  readonly operator: string;
  /** The machine's own key, in OpenSSH's forms. */
  readonly host: { readonly private: string; readonly public: string };
}

/** Unit that lets the operator in. */
export const loginUnit = "ssh.service";

const hostKey = "/etc/ssh/ssh_host_ed25519_key";

export function loginFiles({ operator, host }: LoginKeys): MachineFile[] {
  return [
    {
      path: "/etc/ssh/sshd_config.d/lab.conf",
      content: readFileSync(join(import.meta.dirname, "sshd.conf")),
    },
    { path: hostKey, content: host.private, mode: 0o600 },
    { path: `${hostKey}.pub`, content: `${host.public}\n` },
    {
      path: "/root/.ssh/authorized_keys",
      content: `${operator}\n`,
      mode: 0o600,
    },
  ];
}
