import { stackConfig } from "../stack.ts";
import {
  type CreateSandbox,
  type Daytona,
  type Sandbox,
  createSandbox,
  execute,
  listSandboxes,
  removeSandbox,
} from "./daytona/client.ts";
import { shellCommand } from "./daytona/shell-command.ts";
import { labSecrets } from "./secrets.ts";

/** The lab's Daytona, as its commands use it; works inside the lab only. */
export function daytona() {
  const server: Daytona = {
    address: "198.18.0.3",
    apiKey: labSecrets().daytonaApiKey,
    domain: stackConfig<string>("domain"),
  };
  return {
    list: (): Promise<Sandbox[]> => listSandboxes(server),
    /** Makes a sandbox with the demo application, and returns it. */
    add: (options: Omit<CreateSandbox, "ports">): Promise<Sandbox> =>
      createSandbox(server, { ...options, ports: [3000, 8080] }),
    remove: (id: string): Promise<void> => removeSandbox(server, id),
    /** Runs a line of shell in a sandbox. */
    execute: (id: string, line: string) => execute(server, id, line),
    /** Runs a program with its arguments in a sandbox. */
    executeArgv: (id: string, argv: readonly string[]) =>
      execute(server, id, shellCommand(argv)),
  };
}
