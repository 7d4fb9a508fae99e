/** What the gateway asks of Docker, by its Engine API on the socket. */
import { request } from "node:http";
import * as z from "zod";

const socketPath = "/run/docker.sock";

/** What Docker has by now. */
export interface DockerState {
  /** Those whose interfaces are this machine's. */
  readonly networks: readonly Network[];
  readonly containers: readonly Container[];
}

export interface Network {
  readonly name: string;
  /** Interface of this machine. */
  readonly bridge: string;
}

/** A running container, where it stands on bridges of this machine. */
export interface Container {
  readonly name: string;
  /** Its first process, as this machine numbers it. */
  readonly pid: number;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** Interface of this machine. */
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4: string;
}

const networks = z.array(
  z.object({
    Id: z.string(),
    Name: z.string(),
    Driver: z.string(),
    Options: z.record(z.string(), z.string()).nullish(),
  }),
);
const summaries = z.array(z.object({ Id: z.string() }));
const details = z.object({
  Name: z.string(),
  State: z.object({ Pid: z.int() }),
  NetworkSettings: z.object({
    Networks: z.record(
      z.string(),
      z.object({
        NetworkID: z.string(),
        MacAddress: z.string(),
        IPAddress: z.string(),
      }),
    ),
  }),
});

/** @throws Error when Docker does not answer, or says something else */
export async function dockerState(): Promise<DockerState> {
  const [known, running] = await Promise.all([
    ask("/networks").then((it) => networks.parse(it)),
    ask("/containers/json").then((it) => summaries.parse(it)),
  ]);
  const bridged = known
    .filter(({ Driver }) => Driver === "bridge")
    .map(({ Id, Name, Options }) => ({
      id: Id,
      name: Name,
      // As Docker names what nobody named.
      bridge:
        Options?.["com.docker.network.bridge.name"] ?? `br-${Id.slice(0, 12)}`,
    }));
  const bridges = new Map(bridged.map(({ id, bridge }) => [id, bridge]));
  const containers = await Promise.all(
    running.map(async ({ Id }): Promise<Container | undefined> => {
      const answer = await ask(`/containers/${Id}/json`, [404]);
      // It has ended meanwhile.
      if (answer === undefined) return undefined;
      const { Name, State, NetworkSettings } = details.parse(answer);
      const endpoints = Object.values(NetworkSettings.Networks).flatMap(
        ({ NetworkID, MacAddress, IPAddress }) => {
          const bridge = bridges.get(NetworkID);
          return bridge === undefined || IPAddress === ""
            ? []
            : [{ bridge, mac: MacAddress, ipv4: IPAddress }];
        },
      );
      return { name: Name.replace(/^\//, ""), pid: State.Pid, endpoints };
    }),
  );
  return {
    networks: bridged.map(({ name, bridge }) => ({ name, bridge })),
    containers: containers.filter((it) => it !== undefined),
  };
}

/**
 * Calls at once, and whenever a container or a network changes, until Docker
 * ends the conversation.
 * @throws Error when Docker cannot be asked
 */
export async function onDockerChange(changed: () => void): Promise<void> {
  const filters = JSON.stringify({ type: ["container", "network"] });
  await new Promise<void>((resolve, reject) => {
    const path = `/events?filters=${encodeURIComponent(filters)}`;
    request({ socketPath, path }, (response) => {
      changed();
      response.on("data", (chunk: Buffer) => {
        // Commands in containers and their health say nothing about networks.
        const lines = chunk.toString().split("\n");
        if (lines.some((it) => it !== "" && !/"(exec_|health_)/.test(it))) {
          changed();
        }
      });
      response.on("end", resolve);
      response.on("error", reject);
    })
      .on("error", reject)
      .end();
  });
}

/** @param absent statuses at which there is nothing to be had */
function ask(path: string, absent: readonly number[] = []): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, timeout: 30_000 });
    asking.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0 } = response;
        if (absent.includes(statusCode)) {
          resolve(undefined);
        } else if (statusCode === 200) {
          resolve(JSON.parse(text));
        } else {
          const said = `${String(statusCode)}: ${text}`;
          reject(new Error(`Docker answers ${path} with ${said}`));
        }
      });
    });
    asking.on("timeout", () => {
      asking.destroy(new Error(`Docker does not answer ${path}`));
    });
    asking.on("error", reject);
    asking.end();
  });
}
