/** Requests at a constant rate while something happens (fixtures/load.ts). */
import { execa } from "execa";
import { join } from "node:path";
import { trustFile } from "../../scripts/checkout.ts";
import { insideLab } from "../../scripts/lab/namespaces.ts";

export interface Load {
  readonly perSecond: number;
  /** Where all requests go to. */
  readonly address: string;
  /** Asked in turn, each with fields of its own. */
  readonly requests: readonly {
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
  }[];
}

export interface LoadResult {
  readonly answered: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly perSecond: number;
}

/** Resolves once it runs; returns what ends it, and says how it went. */
export async function startLoad(
  load: Load,
): Promise<() => Promise<LoadResult>> {
  const { perSecond, address, requests } = load;
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/load.ts"),
    String(perSecond),
    address,
    JSON.stringify(requests.map(({ headers = {} }) => headers)),
    ...requests.map(({ url }) => url),
  ]);
  const running = execa(file, args, {
    stdin: "pipe",
    env: { NODE_EXTRA_CA_CERTS: trustFile },
  });
  const ready = new Promise((resolve) => {
    running.stdout.once("data", resolve);
  });
  await Promise.race([ready, running]);
  return async () => {
    running.stdin.end();
    const { stdout } = await running;
    return JSON.parse(stdout.split("\n").at(-1) ?? "") as LoadResult;
  };
}
