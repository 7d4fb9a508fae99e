/** The stack of the platform host in the lab: Pulumi.host.yaml, of its world. */
import { type StackConfig, parseConfig } from "../../../infra/config.ts";
import { stackFile } from "../../../scripts/stack.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";

export const domain = process.env.HOST_DOMAIN ?? "host.daytona.defikit.net";

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
    "daytona-edge:host": hostSettings("server"),
    "daytona-edge:gateway": {
      rootServers: ["198.18.0.2"],
    },
  };
}

/** The same, as the program reads it. */
export function parsedHostConfig(): StackConfig {
  const given = Object.entries(hostConfig())
    .filter(([key]) => key.startsWith("daytona-edge:"))
    .map(([key, value]) => [key.replace("daytona-edge:", ""), value]);
  const { config, problems } = parseConfig(
    Object.fromEntries(given) as Record<string, unknown>,
  );
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
}
