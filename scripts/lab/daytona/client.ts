/**
 * Daytona's API as the lab's own commands and tests use it; works against the
 * real one as well. Calls only what the SDK calls.
 */
import { type IncomingMessage, request } from "node:http";
import { type Duplex, PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import * as z from "zod";

export interface Daytona {
  /** IPv4 address of the Daytona server. */
  readonly address: string;
  readonly apiKey: string;
  /** Domain of the preview addresses. */
  readonly domain: string;
  /** The way to the toolbox, where it is none of the network's. */
  readonly connect?: () => Promise<Duplex>;
}

const sandbox = z.object({
  id: z.string(),
  name: z.string(),
  public: z.boolean(),
  state: z.string(),
  env: z.record(z.string(), z.string()),
});

export type Sandbox = z.infer<typeof sandbox>;

export interface CreateSandbox {
  readonly name?: string;
  readonly public?: boolean;
  readonly snapshot?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ports that the lab's app listens on; 3000 when absent. */
  readonly ports?: readonly number[];
}

/** Daytona refused a request. */
export class DaytonaError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Makes a sandbox and waits until it runs. @throws DaytonaError */
export async function createSandbox(
  daytona: Daytona,
  options: CreateSandbox = {},
): Promise<Sandbox> {
  const { ports, env, ...rest } = options;
  const appPorts = ports ? { APP_PORTS: ports.join(" ") } : {};
  const body = { ...rest, env: { ...env, ...appPorts } };
  return sandbox.parse(await api(daytona, "POST", "/api/sandbox", body));
}

/** @throws DaytonaError */
export async function listSandboxes(daytona: Daytona): Promise<Sandbox[]> {
  return z.array(sandbox).parse(await api(daytona, "GET", "/api/sandbox"));
}

/** @throws DaytonaError when there is no such sandbox */
export async function removeSandbox(
  daytona: Daytona,
  idOrName: string,
): Promise<void> {
  const path = `/api/sandbox/${encodeURIComponent(idOrName)}`;
  await api(daytona, "DELETE", path);
}

/**
 * Runs a command with `sh -c` in a sandbox.
 * @param options.timeout seconds; without one the command may run for ever
 * @throws DaytonaError when there is no such sandbox, or after the timeout
 */
export async function execute(
  daytona: Daytona,
  id: string,
  command: string,
  options: { readonly timeout?: number } = {},
): Promise<{ exitCode: number; result: string }> {
  const answer = await call(daytona, {
    port: 4000,
    method: "POST",
    path: `/toolbox/${encodeURIComponent(id)}/process/execute`,
    host: daytona.domain,
    body: { command, ...options },
    connect: daytona.connect,
  });
  return z.object({ exitCode: z.number(), result: z.string() }).parse(answer);
}

async function api(
  daytona: Daytona,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const host = `${daytona.address}:3000`;
  return await call(daytona, { port: 3000, method, path, host, body });
}

/** Not fetch: that gives up on an answer that is silent for 5 minutes. */
async function call(
  daytona: Daytona,
  what: {
    readonly port: number;
    readonly method: string;
    readonly path: string;
    readonly host: string;
    readonly body?: unknown;
    readonly connect?: Daytona["connect"];
  },
): Promise<unknown> {
  const { port, method, path, host, body, connect } = what;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({
      host: daytona.address,
      port,
      ...(connect && {
        createConnection: (_, connected) => {
          connect().then(
            (socket) => {
              connected(null, socket);
            },
            (error: unknown) => {
              connected(error as Error, new PassThrough());
            },
          );
          return undefined;
        },
      }),
      method,
      path,
      headers: {
        Host: host,
        Authorization: `Bearer ${daytona.apiKey}`,
        "Content-Type": "application/json",
      },
    })
      .on("response", resolve)
      .on("error", reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
  const content = await text(answer);
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 299) {
    throw new DaytonaError(
      status,
      `Daytona answered ${String(status)} to ${method} ${path}: ${content}`,
    );
  }
  return JSON.parse(content);
}
