/** The stack of the platform host in the lab: Pulumi.host.yaml, of its world. */
import { type StackConfig, parseConfig } from "../../../infra/config/parse.ts";
import { ownKeys, stackFile } from "../../../scripts/stack.ts";
import { baseSystemFile } from "../../../scripts/lab/base-system.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";

export const domain = process.env.HOST_DOMAIN ?? "host.daytona.defikit.net";

const server = (process.env.HOST_SERVER ??
  "server") as keyof typeof daytonaMachines;

/** Who logs in; sudo makes them root. */
export const operator = "deploy";

/** How a server is reached. */
export function hostSettings(server: keyof typeof daytonaMachines) {
  return {
    address: daytonaMachines[server].ipv4,
    user: operator,
    hostKey: labSecrets().host.public,
  };
}

export function hostConfig(): Record<string, unknown> {
  const { config } = stackFile("host");
  const local = stackFile("local").config;
  return {
    ...config,
    "cloudflare:baseUrl": local["cloudflare:baseUrl"],
    "daytona-edge:cloudflare": local["daytona-edge:cloudflare"],
    "daytona-edge:certificate": local["daytona-edge:certificate"],
    "daytona-edge:domain": domain,
    "daytona-edge:host": {
      ...hostSettings(server),
      baseSystem: baseSystemFile(),
    },
    "daytona-edge:gateway": {
      rootServers: ["198.18.0.2"],
    },
  };
}

/** The same, as the program reads it. */
export function parsedHostConfig(): StackConfig {
  const { config, problems } = parseConfig(ownKeys({ config: hostConfig() }));
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
}
