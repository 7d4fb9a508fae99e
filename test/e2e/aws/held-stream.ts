/** An event stream that its client holds open until a test has seen enough. */
import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { insideLab } from "../../../scripts/lab/namespaces.ts";

export interface HeldStream {
  /** How many events have come. */
  events(): number;
  /** Ends it as its client. @returns whether it was open until then */
  end(): Promise<boolean>;
}

/**
 * Opens it; resolves with its first event. An attempt that brings none is made
 * again: the lab's balancer takes a check that comes late for an unhealthy edge.
 * One that has begun is never made again.
 * @param args of curl, on the lab's operator side
 */
export async function holdStream(args: readonly string[]): Promise<HeldStream> {
  const [file, ...argv] = insideLab(["curl", "-sS", "-N", ...args]);
  for (let attempt = 1; ; attempt++) {
    const client = execa(file, argv, { reject: false });
    let received = "";
    const begun = new Promise<void>((resolve) => {
      client.stdout.setEncoding("utf8").on("data", (text: string) => {
        received += text;
        if (/^data:/m.test(received)) resolve();
      });
    });
    const ended = await Promise.race([begun, client]);
    if (ended === undefined || /^data:/m.test(received)) {
      return {
        events: () => (received.match(/^data:/gm) ?? []).length,
        end: async () => {
          client.kill();
          return (await client).signal === "SIGTERM";
        },
      };
    }
    if (attempt === 60) {
      throw new Error(`no event came: ${received}${ended.stderr}`);
    }
    await sleep(1_000);
  }
}
