/** The rows of a stack's certificate and of the way of its names to the edges. */
import {
  certificateNames,
  heldCertificate,
} from "../../infra/certificate/held-certificate.ts";
import * as liveState from "../../infra/machine/live-state.ts";
import { parseJson } from "../../infra/machine/parse-json.ts";
import { readDocument } from "../../infra/machine/store/store.ts";
import type { Deployment, Machine } from "../deployments/deployment.ts";
import { certificateRow, limitRow, renewalRow } from "./certificate.ts";
import { edgeRow, liveStateRow } from "./edges.ts";
import { recordRows } from "./records.ts";
import { type Row, lookAt } from "./row.ts";

/** Without its key: whoever only looks is not to see it, and each edge judges it. */
const keyless = heldCertificate.omit({ key: true });
const certificate = {
  name: liveState.certificate.name,
  parse: (content: string) => parseJson(keyless, content),
};

/**
 * @param name of what answers at the public addresses, for people
 * @param account rows of the ACME account, given the one that the certificate
 *   was ordered by
 */
export function edgeRows(
  deployment: Deployment,
  name: string,
  account: (orderedBy: string | undefined) => Promise<Row[]>,
): Promise<Row[]> {
  return lookAt(
    "certificate",
    () => rows(deployment, name, account),
    "can the store be read as pulumi up would? see the other rows",
  );
}

async function rows(
  { config, store, edges, publicAddresses }: Deployment,
  name: string,
  account: (orderedBy: string | undefined) => Promise<Row[]>,
): Promise<Row[]> {
  const { domain } = config;
  const now = new Date();
  const [read, report, addresses, machines] = await Promise.all([
    readDocument(store, certificate),
    readDocument(store, liveState.certificateReport),
    publicAddresses(),
    edges(),
  ]);
  const held = read && "value" in read ? read.value : undefined;
  const asked = await Promise.all([
    account(held?.account),
    recordRows({ config, edge: addresses, account: held?.account }),
    edgeRow({
      name,
      addresses: [...addresses.ipv4, ...addresses.ipv6],
      domain,
      serial: held?.serial,
    }),
    ...machines.map(stateRow),
  ]);
  return [
    certificateRow(read, certificateNames(domain), now),
    renewalRow(report, now),
    limitRow(report, config.certificate.directory, now),
    ...asked.flat(),
  ];
}

/** Where nobody can ask the agent there is none. */
function stateRow({ name, status }: Machine): Promise<Row[]> {
  return status ? liveStateRow(name, status) : Promise.resolve([]);
}
