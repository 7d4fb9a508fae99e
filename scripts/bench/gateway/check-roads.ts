/** That the roads are what their names say, before anything is measured on them. */
import { readFileSync } from "node:fs";
import { get } from "node:https";
import type { TLSSocket } from "node:tls";
import { authorities } from "./places.ts";
import { type Road, hostOf, roads, secret } from "./roads.ts";

/** Whom a client meets, who signed for it, and what the origin saw as credential. */
interface Seen {
  readonly address: unknown;
  readonly issuer: unknown;
  readonly credential: string;
}

const expected: Readonly<Record<Road, { issuer: RegExp; credential: string }>> =
  {
    direct: { issuer: /^bench origin$/, credential: "Bearer mine" },
    splice: { issuer: /^bench origin$/, credential: "Bearer mine" },
    inspect: { issuer: /^daytona-edge egress CA/, credential: "Bearer mine" },
    credential: {
      issuer: /^daytona-edge egress CA/,
      credential: `Bearer ${"*".repeat(secret.length)}`,
    },
  };

/**
 * @param addressOf where a road begins
 * @throws Error that names the road and what was seen on it
 */
export async function checkRoads(
  addressOf: (road: Road) => string | undefined,
): Promise<void> {
  for (const road of roads) {
    const seen = await look(road);
    const { issuer, credential } = expected[road];
    const address = addressOf(road);
    if (
      seen.address !== address ||
      !issuer.test(String(seen.issuer)) ||
      seen.credential !== credential
    ) {
      throw new Error(
        `The road "${road}" is another than it should be: ${JSON.stringify(seen)}, not ${JSON.stringify({ address, issuer: String(issuer), credential })}`,
      );
    }
  }
}

function look(road: Road): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = get(
      `https://${hostOf(road)}/api/credential`,
      {
        ca: authorities.map((file) => readFileSync(file)),
        agent: false,
        headers: { authorization: "Bearer mine" },
      },
      (response) => {
        const socket = response.socket as TLSSocket;
        const address = socket.remoteAddress;
        const issuer = socket.getPeerCertificate().issuer.CN;
        let credential = "";
        response.on("data", (data: Buffer) => {
          credential += data.toString();
        });
        response.on("end", () => {
          resolve({ address, issuer, credential });
        });
      },
    );
    request.once("error", reject);
  });
}
