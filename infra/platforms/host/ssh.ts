/**
 * A connection to a server by SSH, for what Pulumi does not do itself. Whoever
 * answers must have the pinned key, as for the stack's own commands (server.ts).
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { Client, type ClientChannel, type ConnectConfig } from "ssh2";
import type { Server } from "./server.ts";

/** How long a server may take to let us in, in ms. */
const loginTimeout = 15_000;

type Reached = Omit<Server, "jump">;

export interface SshConnection extends AsyncDisposable {
  /**
   * Runs a command line.
   * @param input its standard input; empty when absent
   * @returns its standard output
   * @throws Error with what it said when it failed
   */
  run(line: string, input?: string | Uint8Array): Promise<string>;
  /**
   * Starts a command line that runs until its standard input ends, and waits
   * until it prints something.
   * @returns what ends it
   * @throws Error with what it said when it ended before
   */
  hold(line: string): Promise<() => Promise<void>>;
  /** A connection to what the server itself reaches. @throws Error */
  open(host: string, port: number): Promise<ClientChannel>;
}

/**
 * Logs in, through the jump host where there is one.
 * @param privateKey in OpenSSH's or PEM form; the SSH agent's keys when absent
 * @throws Error that says why not: not reached, another host key, no login
 */
export async function connectBySsh(
  server: Server,
  privateKey: string | undefined,
): Promise<SshConnection> {
  const clients: Client[] = [];
  const end = () => {
    for (const client of clients.reverse()) client.end();
  };
  const open = async (to: Reached, through?: Client) => {
    const client = new Client();
    clients.push(client);
    const socket = through && {
      sock: await forward(through, to.address, to.port),
    };
    await logIn(client, to, { ...authentication(privateKey), ...socket });
    return client;
  };
  try {
    const jump = server.jump && (await open(server.jump));
    const client = await open(server, jump);
    return {
      run: (line, input) => output(client, line, input),
      hold: (line) => held(client, line),
      open: (host, port) => forward(client, host, port),
      [Symbol.asyncDispose]: () => Promise.resolve(end()),
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** One command on a connection of its own: see connectBySsh and its `run`. */
export async function runBySsh(
  server: Server,
  privateKey: string | undefined,
  line: string,
): Promise<string> {
  await using connection = await connectBySsh(server, privateKey);
  return await connection.run(line);
}

function authentication(privateKey: string | undefined): ConnectConfig {
  if (privateKey !== undefined) return { privateKey };
  const agent = process.env.SSH_AUTH_SOCK;
  if (agent) return { agent };
  throw new Error(
    "there is no key to log in with; load one into an SSH agent (ssh-add), or name one: sshPrivateKey for pulumi up, -i FILE for the commands",
  );
}

/**
 * Pulumi's plugin asks the agent besides the key that it is given, and fails
 * where none listens any more: after a session has ended, say.
 * @throws Error that says so, with what to type
 */
export async function checkAgent(): Promise<void> {
  const path = process.env.SSH_AUTH_SOCK;
  if (!path) return;
  const socket = connect({ path });
  try {
    await once(socket, "connect");
  } catch (error) {
    throw new Error(
      `no SSH agent answers at ${path}, where SSH_AUTH_SOCK says that one is (${(error as Error).message}), and Pulumi asks it even where sshPrivateKey is set; start an agent, or type: unset SSH_AUTH_SOCK`,
      { cause: error },
    );
  } finally {
    socket.destroy();
  }
}

function logIn(
  client: Client,
  { address, port, user, hostKey }: Reached,
  config: ConnectConfig,
): Promise<void> {
  const [type = "", pinned = ""] = hostKey.split(" ");
  let other: string | undefined;
  return new Promise((resolve, reject) => {
    client
      .on("ready", resolve)
      .on("error", (error) => {
        const why =
          other ??
          (error.level === "client-authentication"
            ? `${user} may not log in with this key`
            : reasonOf(error));
        reject(new Error(`${address}, port ${String(port)}: ${why}`));
      })
      // Of one that ends without a word there is no error.
      .on("close", () => {
        reject(
          new Error(
            `${address}, port ${String(port)}: the connection ended before the login`,
          ),
        );
      })
      .connect({
        ...config,
        ...{ host: address, port, username: user, readyTimeout: loginTimeout },
        // One that vanishes is noticed within a minute.
        keepaliveInterval: 20_000,
        // Only the kind that is pinned: others would differ and be no attack.
        algorithms: { serverHostKey: [type] as HostKeyAlgorithms },
        hostVerifier: (key: Buffer) => {
          if (key.toString("base64") === pinned) return true;
          other = `its host key is ${fingerprint(key)}, not the pinned ${fingerprint(Buffer.from(pinned, "base64"))}; compare it with /etc/ssh/ssh_host_*.pub on the server before you change hostKey`;
          return false;
        },
      });
  });
}

/** Of a name with several addresses each attempt has a reason of its own. */
function reasonOf(error: Error): string {
  const [first] =
    error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? first.message : error.message;
}

type HostKeyAlgorithms = NonNullable<
  NonNullable<ConnectConfig["algorithms"]>["serverHostKey"]
>;

/** As OpenSSH prints it. */
function fingerprint(key: Buffer): string {
  const digest = createHash("sha256").update(key).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

function forward(
  through: Client,
  address: string,
  port: number,
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    through.forwardOut("127.0.0.1", 0, address, port, (error, channel) => {
      if (error) {
        const where = `${address}, port ${String(port)}`;
        reject(new Error(`${where}, through SSH: ${error.message}`));
      } else resolve(channel);
    });
  });
}

function output(
  client: Client,
  line: string,
  input?: string | Uint8Array,
): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let stdout = "";
      channel.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      ended(channel).then(() => {
        resolve(stdout);
      }, reject);
      channel.end(input);
    });
  });
}

function held(client: Client, line: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      const end = ended(channel);
      // Once it is held, its end is for whoever ends it.
      end.catch(reject);
      channel.once("data", () => {
        resolve(() => {
          channel.end();
          return end;
        });
      });
    });
  });
}

/** @throws Error with what it wrote to standard error when it failed */
function ended(channel: ClientChannel): Promise<void> {
  let stderr = "";
  channel.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    channel.on("close", (code: number | null) => {
      if (code === 0) resolve();
      else reject(new Error(stderr.trim() || `it ended with ${String(code)}`));
    });
  });
}
