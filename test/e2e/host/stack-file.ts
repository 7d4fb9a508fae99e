/** The stack of the platform host in the lab: one of examples/, in the lab's world. */
import { type StackConfig, parseConfig } from "../../../infra/config/parse.ts";
import { baseSystemFile } from "../../../scripts/lab/base-system.ts";
import {
  daytonaMachines,
  edgeAddresses,
} from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { ownKeys, stackFile } from "../../../scripts/stack.ts";
import { type Example, filledExample } from "./example.ts";

export const domain = process.env.HOST_DOMAIN ?? "host.daytona.defikit.net";

/** Who logs in; sudo makes them root. */
export const operator = "deploy";

const example = (process.env.HOST_EXAMPLE ?? "one-server") as Example;

/** Servers of the lab that the example is about, the edge's first. */
const servers = (process.env.HOST_SERVERS ?? "server").split(" ") as Server[];

const addresses = { ...daytonaMachines, ...edgeAddresses };
export type Server = keyof typeof addresses;

/** How a server is reached. */
export function hostSettings(server: Server) {
  return {
    address: addresses[server].ipv4,
    user: operator,
    hostKey: labSecrets().host.public,
  };
}

export function hostConfig(): Record<string, unknown> {
  const local = stackFile("local").config;
  const { config } = filledExample(example, {
    domain,
    cloudflare: local["daytona-edge:cloudflare"],
    servers: servers.map(hostSettings),
  });
  return {
    ...config,
    "cloudflare:baseUrl": local["cloudflare:baseUrl"],
    "daytona-edge:certificate": local["daytona-edge:certificate"],
    "daytona-edge:host": {
      ...(config["daytona-edge:host"] as object),
      baseSystem: baseSystemFile(),
    },
    ...("daytona-edge:egress" in config && {
      "daytona-edge:gateway": {
        rootServers: ["198.18.0.2"],
        ...(JSON.parse(process.env.HOST_GATEWAY ?? "{}") as object),
      },
    }),
  };
}

/** The same, as the program reads it. */
export function parsedHostConfig(): StackConfig {
  const { config, problems } = parseConfig(ownKeys({ config: hostConfig() }));
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
}
