/** That the roads are what their names say, before anything is measured on them. */
import { readFileSync } from "node:fs";
import { get } from "node:https";
import type { TLSSocket } from "node:tls";
import { authorities } from "./places.ts";
import { type Road, hostOf, roads, secret } from "./roads.ts";

/** Who signed the certificate that a client sees, and what the origin saw as credential. */
interface Seen {
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

/** @throws Error that names the road and what was seen on it */
export async function checkRoads(): Promise<void> {
  for (const road of roads) {
    const seen = await look(road);
    const { issuer, credential } = expected[road];
    if (!issuer.test(String(seen.issuer)) || seen.credential !== credential) {
      throw new Error(
        `The road "${road}" is another than it should be: its certificate is by ${JSON.stringify(seen.issuer)} and should be by ${String(issuer)}; the origin's answer is ${JSON.stringify(seen.credential)} and should be "${credential}"`,
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
        const certificate = (response.socket as TLSSocket).getPeerCertificate();
        let credential = "";
        response.on("data", (data: Buffer) => {
          credential += data.toString();
        });
        response.on("end", () => {
          resolve({ issuer: certificate.issuer.CN, credential });
        });
      },
    );
    request.once("error", reject);
  });
}
