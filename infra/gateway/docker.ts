/** What the gateway asks of Docker, by its Engine API on the socket. */
import { request } from "node:http";
import * as z from "zod";

/** One of the Dockers of a server: its own, or the one in a runner's container. */
export interface Docker {
  /** Path of its socket, as this machine sees it. */
  readonly socket: string;
  /** Where /proc numbers processes as that Docker does. */
  readonly processes: string;
}

export const serverDocker: Docker = {
  socket: "/run/docker.sock",
  processes: "/proc",
};

/**
 * The Docker in a container. Not by /var/run, where an absolute link would lead
 * to the server's own.
 * @param pid of the container's first process
 */
export function dockerInside(pid: number): Docker {
  const root = `/proc/${String(pid)}/root`;
  return { socket: `${root}/run/docker.sock`, processes: `${root}/proc` };
}

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
  /** IPv4, as CIDR. */
  readonly subnets: readonly string[];
}

/** A running container, where it stands on bridges of this machine. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its first process, as Docker numbers it. */
  readonly pid: number;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** Interface of this machine. */
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4: string;
  /** What others on the bridge call it. */
  readonly names: readonly string[];
}

const networks = z.array(
  z.object({
    Id: z.string(),
    Name: z.string(),
    Driver: z.string(),
    Options: z.record(z.string(), z.string()).nullish(),
    IPAM: z.object({
      Config: z.array(z.object({ Subnet: z.string().optional() })).nullish(),
    }),
  }),
);
const summaries = z.array(
  z.object({
    Id: z.string(),
    Image: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);
const details = z.object({
  Name: z.string(),
  State: z.object({ Pid: z.int() }),
  Config: z.object({
    Image: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  NetworkSettings: z.object({
    Networks: z.record(
      z.string(),
      z.object({
        NetworkID: z.string(),
        MacAddress: z.string(),
        IPAddress: z.string(),
        Aliases: z.array(z.string()).nullish(),
      }),
    ),
  }),
});

/**
 * What runs, by one question.
 * @throws Error when Docker does not answer, or says something else
 */
export async function runningContainers({
  socket,
}: Docker): Promise<Pick<Container, "image" | "labels">[]> {
  const running = summaries.parse(await ask(socket, "/containers/json"));
  return running.map(({ Image, Labels }) => ({
    image: Image,
    labels: Labels ?? {},
  }));
}

/** @throws Error when Docker does not answer, or says something else */
export async function dockerState({ socket }: Docker): Promise<DockerState> {
  const [known, running] = await Promise.all([
    ask(socket, "/networks").then((it) => networks.parse(it)),
    ask(socket, "/containers/json").then((it) => summaries.parse(it)),
  ]);
  const bridged = known
    .filter(({ Driver }) => Driver === "bridge")
    .map(({ Id, Name, Options, IPAM }) => ({
      id: Id,
      name: Name,
      // As Docker names what nobody named.
      bridge:
        Options?.["com.docker.network.bridge.name"] ?? `br-${Id.slice(0, 12)}`,
      subnets: (IPAM.Config ?? []).flatMap(({ Subnet }) =>
        z.cidrv4().safeParse(Subnet).success ? [Subnet as string] : [],
      ),
    }));
  const bridges = new Map(bridged.map(({ id, bridge }) => [id, bridge]));
  const containers = await Promise.all(
    running.map(async ({ Id }): Promise<Container | undefined> => {
      const answer = await ask(socket, `/containers/${Id}/json`, [404]);
      // It has ended meanwhile.
      if (answer === undefined) return undefined;
      const { Name, State, Config, NetworkSettings } = details.parse(answer);
      const name = Name.replace(/^\//, "");
      const endpoints = Object.values(NetworkSettings.Networks).flatMap(
        ({ NetworkID, MacAddress, IPAddress, Aliases }) => {
          const bridge = bridges.get(NetworkID);
          return bridge === undefined || IPAddress === ""
            ? []
            : [
                {
                  bridge,
                  mac: MacAddress,
                  ipv4: IPAddress,
                  names: [name, ...(Aliases ?? [])],
                },
              ];
        },
      );
      return {
        name,
        image: Config.Image,
        labels: Config.Labels ?? {},
        pid: State.Pid,
        endpoints,
      };
    }),
  );
  return {
    networks: bridged.map(({ name, bridge, subnets }) => ({
      ...{ name, bridge, subnets },
    })),
    containers: containers.filter((it) => it !== undefined),
  };
}

/**
 * Calls at once, and whenever a container or a network changes, until Docker
 * ends the conversation.
 * @throws Error when Docker cannot be asked
 */
export async function onDockerChange(
  { socket }: Docker,
  changed: () => void,
): Promise<void> {
  const filters = JSON.stringify({ type: ["container", "network"] });
  await new Promise<void>((resolve, reject) => {
    const path = `/events?filters=${encodeURIComponent(filters)}`;
    request({ socketPath: socket, path }, (response) => {
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
function ask(
  socketPath: string,
  path: string,
  absent: readonly number[] = [],
): Promise<unknown> {
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
