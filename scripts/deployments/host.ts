/** A stack of the platform host: its servers are asked by SSH. */
import type { StackConfig } from "../../infra/config.ts";
import {
  type RemoteScript,
  type Server,
  asRoot,
  remoteScript,
} from "../../infra/platforms/host/server.ts";
import {
  type HostSettings,
  publicAddresses,
} from "../../infra/platforms/host/settings.ts";
import {
  type SshConnection,
  connectBySsh,
} from "../../infra/platforms/host/ssh.ts";
import { LabError } from "../lab/command.ts";
import { execute } from "../lab/daytona/client.ts";
import type { Addresses, Deployment, LogQuery, Machine } from "./deployment.ts";
import { journalEntries } from "./journal.ts";
import { checkedStore } from "./live-state.ts";
import { ServerStore } from "./server-store.ts";

export interface HostDeploymentArgs extends Pick<
  Deployment,
  "name" | "outputs"
> {
  readonly config: StackConfig;
  readonly host: HostSettings;
  /** Key that may log in to its servers; the SSH agent's when absent. */
  readonly privateKey: string | undefined;
  /** Daytona's API key; commands in sandboxes need it. */
  readonly apiKey: string | undefined;
}

/** A server, as commands ask it. */
export interface ServerMachine extends Required<Machine> {
  readonly server: Server;
  readonly script: (
    name: RemoteScript,
    environment?: Readonly<Record<string, string>>,
  ) => Promise<string>;
}

export interface HostDeployment extends Deployment {
  readonly edges: readonly [ServerMachine];
  readonly gateways: readonly ServerMachine[];
}

/** Logs in to a server when it is first asked, and stays until the end. */
export function hostDeployment(args: HostDeploymentArgs): HostDeployment {
  const { name, config, host, privateKey, outputs } = args;
  const open = new AsyncDisposableStack();
  const connections = new Map<string, Promise<SshConnection>>();
  const connect = (server: Server) => {
    const known = connections.get(server.address);
    if (known) return known;
    const connection = connectBySsh(server, privateKey);
    connections.set(server.address, connection);
    open.defer(async () => {
      await (await connection.catch(() => undefined))?.[Symbol.asyncDispose]();
    });
    return connection;
  };
  const machine = (
    server: Server,
    addresses: Machine["addresses"],
    status: RemoteScript,
  ): ServerMachine => {
    const run = async (line: string) => (await connect(server)).run(line);
    const script: ServerMachine["script"] = (script, environment) =>
      run(remoteScript(server, script, environment));
    return {
      ...{ name: server.address, addresses, server, script },
      status: () => script(status),
      run: (text) => run(asRoot(server, text)),
    };
  };
  const edge = machine(host, publicAddresses(host), "edge-status");
  const gateways = config.egress?.gateway
    ? (host.runners ?? [host]).map((server) =>
        machine(server, addressesOf(server, host), "gateway-status"),
      )
    : [];
  const machines = { edges: [edge] as const, gateways };
  return {
    ...{ name, config, ...machines, outputs },
    store: checkedStore(
      new ServerStore(host, {
        run: async (...given) => (await connect(host)).run(...given),
        hold: async (line) => (await connect(host)).hold(line),
      }),
    ),
    logs: async ({ of, since, units }: LogQuery) => {
      // Each server counts back from its own clock; a second for the way there.
      const age = Math.ceil((Date.now() - since.getTime()) / 1000) + 1;
      const journals = machines[of].map(({ script }) =>
        script("journal", {
          SECONDS_AGO: String(age),
          UNITS: units.join(" "),
        }),
      );
      return (await Promise.all(journals)).flatMap(journalEntries);
    },
    execInSandbox: async (sandbox, line) => {
      const daytona = toolboxOf(args);
      const server = await connect(host);
      const way = () => server.open(daytona.address, daytona.port);
      return await execute({ ...daytona, connect: way }, sandbox, line);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function addressesOf(server: Server, host: HostSettings): Addresses {
  return publicAddresses(
    server.address === host.address
      ? host
      : { ...host, ...server, publicAddresses: undefined },
  );
}

/**
 * Daytona's proxy, whose toolbox runs commands in sandboxes. It is closed to the
 * outside, so the edge's server is the way there.
 */
function toolboxOf({ config, apiKey }: HostDeploymentArgs) {
  const { upstream, domain } = config;
  if (upstream.mode !== "daytona") {
    throw new LabError(
      "commands run in a sandbox by Daytona's proxy, and upstream.mode is direct, which does not say where that is; run them by Daytona's own SDK",
    );
  }
  if (!apiKey) {
    throw new LabError(
      "DAYTONA_API_KEY is not set in the environment; commands in a sandbox run by Daytona's toolbox, which asks for it",
    );
  }
  const { hostname, port } = new URL(upstream.url);
  return { address: hostname, port: Number(port || 80), apiKey, domain };
}
