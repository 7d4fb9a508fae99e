/** A stack of the platform host: its servers are asked by SSH. */
import type { StackConfig } from "../../infra/config/parse.ts";
import {
  type RemoteScript,
  type Server,
  asRoot,
  remoteScript,
} from "../../infra/platforms/host/server.ts";
import {
  type HostSettings,
  publicAddresses,
  serversOf,
} from "../../infra/platforms/host/settings.ts";
import {
  type SshConnection,
  connectBySsh,
} from "../../infra/platforms/host/ssh.ts";
import { LabError } from "../lab/command.ts";
import { execute } from "../lab/daytona/client.ts";
import type { Deployment, LogQuery, Machine } from "./deployment.ts";
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
export interface ServerMachine extends Machine {
  readonly run: NonNullable<Machine["run"]>;
  readonly server: Server;
  readonly script: (
    name: RemoteScript,
    environment?: Readonly<Record<string, string>>,
  ) => Promise<string>;
}

export interface HostDeployment extends Deployment {
  readonly platform: "host";
  /** Each once, the edge's first. */
  readonly servers: readonly ServerMachine[];
  readonly edges: () => Promise<readonly ServerMachine[]>;
  readonly gateways: () => Promise<readonly ServerMachine[]>;
  /** Names of the bundles that the stack puts on a server. */
  readonly bundlesOf: (server: ServerMachine) => string[];
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
  const isEdge = ({ address }: Server) => address === host.address;
  const isGateway = ({ address }: Server) =>
    config.egress?.gateway !== undefined &&
    (host.runners ?? [host]).some((runner) => runner.address === address);
  const servers = serversOf(host).map((server): ServerMachine => {
    const run = async (line: string) => (await connect(server)).run(line);
    const script: ServerMachine["script"] = (name, environment) =>
      run(remoteScript(server, name, environment));
    return {
      ...{ name: server.address, server, script },
      run: (text) => run(asRoot(server, text)),
    };
  });
  const edges = servers
    .filter(({ server }) => isEdge(server))
    .map((edge) => ({ ...edge, status: () => edge.script("edge-status") }));
  const gateways = servers
    .filter(({ server }) => isGateway(server))
    .map((one) => ({ ...one, status: () => one.script("gateway-status") }));
  return {
    ...{ platform: "host", name, config, servers, outputs },
    edges: () => Promise.resolve(edges),
    gateways: () => Promise.resolve(gateways),
    publicAddresses: () => Promise.resolve(publicAddresses(host)),
    bundlesOf: ({ server }) => [
      "base-system",
      "server",
      ...(isEdge(server) ? ["certificate", "edge"] : []),
      ...(isGateway(server) ? ["gateway"] : []),
    ],
    store: checkedStore(
      new ServerStore(host, {
        run: async (...given) => (await connect(host)).run(...given),
        hold: async (line) => (await connect(host)).hold(line),
      }),
    ),
    logs: async ({ of, since, units }: LogQuery) => {
      // Each server counts back from its own clock; a second for the way there.
      const age = Math.ceil((Date.now() - since.getTime()) / 1000) + 1;
      const journals = (of === "edges" ? edges : gateways).map(({ script }) =>
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
