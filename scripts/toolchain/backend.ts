import { join } from "node:path";

/** What Pulumi's command line needs to read a stack that openStack has made. */
export function backend(workDir: string): Record<string, string> {
  return {
    PULUMI_BACKEND_URL: `file://${join(workDir, "state")}`,
    // The state directory is as private as the passphrase could be.
    PULUMI_CONFIG_PASSPHRASE: "local",
  };
}
