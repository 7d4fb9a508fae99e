/** The domain's records, as each of its authoritative servers has them. */
import { randomBytes } from "node:crypto";
import {
  type Answer,
  type Kind,
  type NameServer,
  type Zone,
  answers,
  deviations,
  findZone,
} from "../../infra/certificate/name-servers.ts";
import type { Addresses } from "../deployments/deployment.ts";
import { type Row, bad, good, warning } from "./row.ts";

const fixRecords =
  "somebody changed it beside the stack: pulumi up --refresh puts it right";

/** Whether all servers answer, and have the same zone. */
export async function serversRow(zone: Zone): Promise<Row> {
  const what = "name servers";
  const found = await answers(zone.servers, "SOA", zone.name);
  const silent = found.filter(({ values }) => values === undefined);
  if (silent.length > 0) {
    return bad(
      what,
      silent.map(said).join("; "),
      "an authority may ask any of them; look at the zone's NS records and at status.cloudflare.com",
    );
  }
  const serials = found.map(({ values }) => Number(values?.[0]));
  const newest = Math.max(...serials);
  const behind = found.filter((_, index) => serials[index] !== newest);
  if (behind.length > 0) {
    return warning(
      what,
      `${behind.map(({ server }) => server).join(", ")} is behind: serial ${behind.map(({ values }) => values?.[0]).join(", ")} instead of ${String(newest)}`,
      "wait some minutes; an order waits for it too",
    );
  }
  return good(
    what,
    `${found.map(({ server }) => server).join(", ")}: serial ${String(newest)}`,
  );
}

/** Whether any sandbox's name and the base name lead to the edge. */
export async function addressRows(
  servers: readonly NameServer[],
  domain: string,
  edge: Addresses,
): Promise<Row[]> {
  const any = `doctor-${randomBytes(4).toString("hex")}.${domain}`;
  const checks: [string, string][] = [
    [`*.${domain}`, any],
    [domain, domain],
  ];
  return Promise.all(
    checks.map(async ([what, name]) => {
      const wrong = [
        ...(await wrongAnswers(servers, "A", name, edge.ipv4)),
        ...(await wrongAnswers(servers, "AAAA", name, edge.ipv6)),
      ];
      return wrong.length === 0
        ? good(what, [...edge.ipv4, ...edge.ipv6].join(", "))
        : bad(what, wrong.join("; "), fixRecords);
    }),
  );
}

/** Whether nobody else, and we, may have a certificate (RFC 8659, RFC 8657). */
export async function authorizationRow(
  servers: readonly NameServer[],
  domain: string,
  identity: string,
  account: string | undefined,
): Promise<Row> {
  const what = "CAA";
  if (account === undefined) {
    return bad(
      what,
      "cannot be judged: nobody knows the account that may order",
      "see the row certificate",
    );
  }
  const value = `${identity}; validationmethods=dns-01; accounturi=${account}`;
  const wanted = ["issue", "issuewild"].map((tag) => `0 ${tag} "${value}"`);
  const wrong = await wrongAnswers(servers, "CAA", domain, wanted);
  return wrong.length === 0
    ? good(what, `${identity}, dns-01, only account ${account}`)
    : bad(what, wrong.join("; "), fixRecords);
}

/** Whether the challenge's name is as it should be between two orders. */
export async function challengeRow(name: string): Promise<Row> {
  const what = "challenge";
  const { servers } = await findZone(name);
  const found = await answered(servers, "TXT", name);
  const left = found.filter(({ values }) => (values ?? []).length > 0);
  return left.length === 0
    ? good(what, `nothing at ${name}`)
    : warning(
        what,
        `${name} has records: ${left.map(said).join("; ")}`,
        "an order is under way, or was killed; the next one takes its own away, and another program's stay",
      );
}

/** @throws Error when not one of the servers answers */
async function wrongAnswers(
  servers: readonly NameServer[],
  kind: Kind,
  name: string,
  wanted: readonly string[],
): Promise<string[]> {
  return deviations(await answered(servers, kind, name), kind, wanted);
}

/** @throws Error when not one of the servers answers */
async function answered(
  servers: readonly NameServer[],
  kind: Kind,
  name: string,
): Promise<Answer[]> {
  const found = await answers(servers, kind, name);
  const heard = found.filter(({ values }) => values !== undefined);
  if (heard.length > 0) return heard;
  throw new Error(
    `nobody says what ${kind} records ${name} has: ${found.map(said).join("; ")}`,
  );
}

function said({ server, state }: Answer): string {
  return `${server} ${state}`;
}
