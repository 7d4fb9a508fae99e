/** What each edge serves, asked as a client would. */
import { once } from "node:events";
import { type TLSSocket, connect } from "node:tls";
import * as z from "zod";
import { healthPort } from "../../infra/machine/places.ts";
import { type Row, bad, good, lookAt } from "./row.ts";

/** How long an edge may take to answer, in ms. */
const limit = 5_000;

export interface EdgeArgs {
  /** For people. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly domain: string;
  /** Serial that the store has; absent when it holds no certificate. */
  readonly serial: string | undefined;
}

/** One row an edge: the certificate that it serves, at each address. */
export async function edgeRow(args: EdgeArgs): Promise<Row> {
  const { name, addresses, domain, serial } = args;
  const what = `edge ${name}`;
  const served = await Promise.all(
    addresses.map((address) => servedBy(address, domain)),
  );
  const silent = served.filter((found) => "failure" in found);
  if (silent.length > 0) {
    return bad(
      what,
      silent.map(({ address, failure }) => `${address}: ${failure}`).join("; "),
      `see whether it runs and is reachable: its health, /healthz on port ${String(healthPort)}, says what it lacks`,
    );
  }
  for (const found of served) {
    if ("failure" in found) continue;
    if (found.serial !== serial) {
      return bad(
        what,
        `${found.address} serves ${found.serial} instead of ${serial ?? "nothing"}`,
        "its agent follows the store within 90 s; else its journal says why not: journalctl -u daytona-edge-agent",
      );
    }
    if (found.distrust !== undefined) {
      return bad(
        what,
        `clients refuse what ${found.address} serves: ${found.distrust}`,
        "is certificate.directory an authority that clients trust, and the chain whole?",
      );
    }
  }
  return good(what, `serves ${serial ?? ""} at ${addresses.join(", ")}`);
}

type Served =
  | { address: string; serial: string; distrust: string | undefined }
  | { address: string; failure: string };

async function servedBy(address: string, domain: string): Promise<Served> {
  const socket: TLSSocket = connect({
    host: address,
    port: 443,
    servername: `doctor.${domain}`,
    rejectUnauthorized: false,
    timeout: limit,
  });
  socket.on("timeout", () => {
    socket.destroy(new Error(`no answer in ${String(limit / 1000)} s`));
  });
  try {
    await once(socket, "secureConnect");
    const { serialNumber } = socket.getPeerCertificate();
    const distrust = socket.authorized
      ? undefined
      : String(socket.authorizationError);
    return { address, serial: serialNumber, distrust };
  } catch (error) {
    return { address, failure: (error as Error).message };
  } finally {
    socket.destroy();
  }
}

const status = z.record(
  z.string(),
  z.object({ live: z.string().optional(), error: z.string().optional() }),
);

/**
 * Whether the edge has put into force what is in the store.
 * @param ask its agent's answer, as JSON
 */
export function liveStateRow(
  name: string,
  ask: () => Promise<string>,
): Promise<Row[]> {
  const what = `edge ${name}, state`;
  return lookAt(
    what,
    async () => {
      const documents = status.parse(JSON.parse(await ask()));
      const refused = Object.entries(documents).filter(
        ([, { error }]) => error !== undefined,
      );
      return refused.length === 0
        ? good(what, `${Object.keys(documents).join(", ")} in force`)
        : bad(
            what,
            refused
              .map(([name, { error }]) => `${name}: ${error ?? ""}`)
              .join("; "),
            "unless it says that it is in force, what was so before stays: put the document right in the store, or make room on the edge's disk",
          );
    },
    "see whether its agent runs: systemctl status daytona-edge-agent",
  );
}
