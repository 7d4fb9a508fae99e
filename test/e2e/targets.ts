import { execa } from "execa";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { trustFile } from "../../scripts/checkout.ts";
import { type Answer, answersOf } from "./fixtures/answers.ts";
import type { Answered, Message, Road } from "./fixtures/exchange.ts";
import type {
  Got,
  Wanted as ProgramWanted,
} from "./fixtures/exchange-program.ts";
import { join } from "node:path";
import { type Target, hostOf } from "./fixtures/target.ts";
import { DOMAIN, SIGNED_DOMAIN, inLab, signedOutputs } from "./lab.ts";

/** Both edges of the lab, and one port of a sandbox that both can reach. */
export async function edgesFor(
  sandbox: string,
  port: number,
): Promise<Target[]> {
  const { access } = await signedOutputs();
  if (access.key === undefined) throw new Error("The signed stack has no key");
  return [
    {
      machine: "edge",
      address: "198.18.0.4",
      domain: DOMAIN,
      sandbox,
      port,
    },
    {
      machine: "edge-signed",
      address: "198.18.0.5",
      domain: SIGNED_DOMAIN,
      sandbox,
      port,
      key: access.key,
    },
  ];
}

/** The way to an edge's HTTPS listener, with the target's own name in TLS. */
export function roadTo(target: Target, alpn: "http/1.1" | "h2"): Road {
  const tls = { servername: hostOf(target), alpn };
  return { address: target.address, port: 443, tls };
}

/** An exchange that a test wants. */
export interface Wanted extends Message {
  readonly road: Road;
  /** Milliseconds. */
  readonly limit?: number;
}

/** Exchanges one after the other, on the operator side of the lab. */
export async function exchangeAll(
  wanted: readonly Wanted[],
): Promise<Answered[]> {
  const [answered = []] = await exchangeGroups([wanted], 1);
  return answered;
}

/** Groups of exchanges, so many groups at a time. */
export async function exchangeGroups(
  groups: readonly (readonly Wanted[])[],
  concurrency: number,
): Promise<Answered[][]> {
  const input = groups.map((group) =>
    group.map(({ pieces, ...rest }): ProgramWanted => ({
      ...rest,
      pieces: pieces.map((piece) => piece.toString("base64")),
    })),
  );
  const program = join(import.meta.dirname, "fixtures/exchange-program.ts");
  const { stdout, stderr } = await inLab(
    [process.execPath, program, String(concurrency)],
    { input: JSON.stringify(input) },
  );
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as Got[][]).map((group) =>
    group.map(({ received, ...rest }) => ({
      ...rest,
      received: Buffer.from(received, "base64"),
    })),
  );
}

/** One connection to an edge, with whatever has to happen between its requests. */
export interface Conversation {
  /** Sends a request; its answer, unless the edge closed instead. */
  ask(request: Buffer): Promise<Answer | undefined>;
  end(): Promise<void>;
}

/** Resolves when the first request can be sent at once. */
export async function converse(target: Target): Promise<Conversation> {
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/conversation.ts"),
    target.address,
    hostOf(target),
  ]);
  const program = execa(file, args, {
    stdin: "pipe",
    env: { NODE_EXTRA_CA_CERTS: trustFile },
  });
  const lines: AsyncIterator<string> = program.iterable();
  await lines.next();
  return {
    ask: async (request) => {
      program.stdin.write(`${request.toString("base64")}\n`);
      const line = await lines.next();
      const said = line.done ? "" : line.value;
      return answersOf(Buffer.from(said, "base64"))[0];
    },
    end: async () => {
      program.stdin.end();
      await program;
    },
  };
}
