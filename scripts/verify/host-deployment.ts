/**
 * A stack of one's own on the platform host. Daytona's toolbox runs the commands
 * in the sandboxes; it is closed to the outside, so its server is the way there.
 */
import { publicAddresses } from "../../infra/platforms/host/settings.ts";
import { type Server, asRoot } from "../../infra/platforms/host/server.ts";
import {
  type SshConnection,
  connectBySsh,
} from "../../infra/platforms/host/ssh.ts";
import { LabError } from "../lab/command.ts";
import { execute } from "../lab/daytona/client.ts";
import type { OwnStack } from "../own-stack.ts";
import type { Deployment } from "./deployment.ts";
import { egressProbes } from "./egress.ts";
import { ingressProbes } from "./ingress.ts";
import { type RoadOut, egressTarget } from "./road-out.ts";

export interface HostDeploymentOptions {
  /** Id of a sandbox of yours that anybody may reach. */
  readonly sandbox: string;
  /** A port that answers HEAD there. */
  readonly port: number;
  /** Id of another one on the same runner, for the ways around the list. */
  readonly otherSandbox: string | undefined;
  /** Daytona's API key, which the toolbox asks for. */
  readonly apiKey: string;
}

/** Ports of Daytona's, of SSH and of the edge that a sandbox might try. */
const neighbourPorts = [22, 443, 3000, 4000, 8404];

/**
 * @throws Error when a server cannot be logged in to
 * @throws LabError when there is no toolbox to run commands by
 */
export async function hostDeployment(
  { config, host, privateKey }: OwnStack,
  options: HostDeploymentOptions,
): Promise<Deployment> {
  const { domain, upstream, egress } = config;
  const rules = egress?.egressRules ?? [];
  if (upstream.mode !== "daytona") {
    throw new LabError(
      "verify runs its commands by Daytona's toolbox, and upstream.mode is not daytona",
    );
  }
  const daytona = new URL(upstream.url);
  await using open = new AsyncDisposableStack();
  const front = open.use(await connectBySsh(host, privateKey));
  const gateways: { server: Server; connection: SshConnection }[] = [];
  for (const server of host.runners ?? [host]) {
    const connection =
      server.address === host.address
        ? front
        : open.use(await connectBySsh(server, privateKey));
    gateways.push({ server, connection });
  }
  const toolbox = {
    address: daytona.hostname,
    apiKey: options.apiKey,
    domain,
    connect: () => front.open(daytona.hostname, Number(daytona.port || 80)),
  };
  const { ipv4 } = publicAddresses(host);
  const [edge = ""] = ipv4;
  const roadOut = (): RoadOut => ({
    rules,
    secrets: [],
    sandbox: options.sandbox,
    otherSandbox: options.otherSandbox ?? "",
    execute: (id, line) => execute(toolbox, id, line),
    // Sandboxes of two runners may have the same address: rows of all count.
    onGateway: async (script) => {
      const printed = gateways.map(({ server, connection }) =>
        connection.run(asRoot(server, script)),
      );
      return (await Promise.all(printed)).join("\n");
    },
    places: neighbourPorts.map((port) => `${edge}:${String(port)}`),
    nameServers: [...ipv4, ...(egress?.gateway?.rootServers ?? [])],
    edge: {
      ipv4: edge,
      host: `${options.sandbox}-${String(options.port)}.${domain}`,
    },
  });
  const connections = open.move();
  return {
    rules,
    logs: "journalctl on the servers, of the units daytona-edge and daytona-gateway",
    probes: async () => [
      ...ingressProbes({ ...options, domain }),
      ...(rules.length > 0 ? egressProbes(await egressTarget(roadOut())) : []),
    ],
    roadOut: () => {
      if (options.otherSandbox !== undefined) return Promise.resolve(roadOut());
      throw new LabError(
        "--bypass tries the way to another sandbox, too; name one on the same runner by --other-sandbox",
      );
    },
    [Symbol.asyncDispose]: () => connections.disposeAsync(),
  };
}
