/** WebSockets that are held open while something happens. */
import { execa } from "execa";
import { join } from "node:path";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { trustFile } from "../../scripts/checkout.ts";

export interface StreamsReport {
  readonly opened: number;
  readonly cut: number;
  readonly cutAtMs: readonly number[];
  readonly lost: number;
}

/**
 * Opens WebSockets; resolves when all are open.
 * @param address where to connect instead of what DNS says
 */
export async function holdStreams(
  count: number,
  url: string,
  headers: readonly string[] = [],
  address?: string,
): Promise<{
  /** How many were cut so far. */
  cut: () => number;
  /** Ends them and says what became of them. */
  end: () => Promise<StreamsReport>;
}> {
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/streams.ts"),
    String(count),
    url,
    ...headers,
  ]);
  const holder = execa(file, args, {
    stdin: "pipe",
    env: {
      NODE_EXTRA_CA_CERTS: trustFile,
      ...(address === undefined ? {} : { STREAMS_ADDRESS: address }),
    },
  });
  let said = "";
  const ready = new Promise((resolve) => {
    holder.stdout.on("data", (piece: Buffer) => {
      said += piece.toString();
      resolve(undefined);
    });
  });
  await Promise.race([ready, holder]);
  return {
    cut: () => said.match(/^cut$/gm)?.length ?? 0,
    end: async () => {
      holder.stdin.end();
      const { stdout } = await holder;
      return JSON.parse(stdout.split("\n").at(-1) ?? "") as StreamsReport;
    },
  };
}
