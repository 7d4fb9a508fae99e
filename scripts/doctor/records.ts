/** What the world's name servers say of a stack. */
import { challengeName } from "../../infra/certificate/dns01.ts";
import { findZone } from "../../infra/certificate/name-servers.ts";
import type { StackConfig } from "../../infra/config/parse.ts";
import type { Addresses } from "../deployments/deployment.ts";
import {
  addressRows,
  authorizationRow,
  challengeRow,
  serversRow,
} from "./names.ts";
import { type Row, lookAt } from "./row.ts";

export interface RecordsArgs {
  readonly config: Pick<StackConfig, "domain" | "certificate">;
  /** Where the sandboxes' names are to lead. */
  readonly edge: Addresses;
  /** URL of the ACME account that may order; absent when nobody knows it. */
  readonly account: string | undefined;
}

export function recordRows(args: RecordsArgs): Promise<Row[]> {
  return lookAt(
    "name servers",
    () => rows(args),
    "the system's resolver must find the zone of the domain",
  );
}

async function rows({ config, edge, account }: RecordsArgs): Promise<Row[]> {
  const { domain } = config;
  const { caaIdentity, challenge } = config.certificate;
  const zone = await findZone(domain);
  const { servers } = zone;
  const ask = "see the row of the name servers";
  const found = await Promise.all([
    serversRow(zone),
    lookAt("addresses", () => addressRows(servers, domain, edge), ask),
    lookAt(
      "CAA",
      () => authorizationRow(servers, domain, caaIdentity, account),
      ask,
    ),
    lookAt(
      "challenge",
      () => challengeRow(challenge?.name ?? challengeName(domain)),
      ask,
    ),
  ]);
  return found.flat();
}
