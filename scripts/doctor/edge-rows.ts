/** The rows of a stack's certificate and of the way of its names to the edge. */
import {
  type HeldCertificate,
  certificateDocument,
} from "../../infra/certificate/held-certificate.ts";
import {
  certificateReport,
  reportDocument,
} from "../../infra/certificate/report.ts";
import {
  type CertificateStore,
  readDocument,
} from "../../infra/certificate/store.ts";
import type { StackConfig } from "../../infra/config/parse.ts";
import type * as z from "zod";
import { certificateRow, limitRow, renewalRow } from "./certificate.ts";
import { edgeRow, liveStateRow } from "./edges.ts";
import type { Addresses } from "./names.ts";
import { recordRows } from "./records.ts";
import type { Row } from "./row.ts";

/** As the store has it, or without the key, for whoever is not to see that. */
export type ReadCertificate = Omit<HeldCertificate, "key"> & { key?: string };

export interface EdgeRowsArgs {
  readonly config: StackConfig;
  readonly store: Pick<CertificateStore, "read">;
  /** How the certificate stands in the store. */
  readonly certificate: z.ZodType<ReadCertificate>;
  /** The edge's name, for people. */
  readonly name: string;
  /** Where the sandboxes' names are to lead. */
  readonly edge: Addresses;
  /** What the edge's agent says of its live state, as JSON. */
  readonly status: () => Promise<string>;
  /** Rows of the account, given the one that the certificate was ordered by. */
  readonly account?: (orderedBy: string | undefined) => Promise<Row[]>;
}

export async function edgeRows(args: EdgeRowsArgs): Promise<Row[]> {
  const { config, store, certificate, name, edge, status, account } = args;
  const { domain } = config;
  const now = new Date();
  const [read, report] = await Promise.all([
    readDocument(store, certificateDocument, certificate),
    readDocument(store, reportDocument, certificateReport),
  ]);
  const held = read && "value" in read ? read.value : undefined;
  const asked = await Promise.all([
    account?.(held?.account) ?? [],
    recordRows({ config, edge, account: held?.account }),
    edgeRow({
      name,
      addresses: [...edge.ipv4, ...edge.ipv6],
      domain,
      serial: held?.serial,
    }),
    liveStateRow(name, status),
  ]);
  return [
    certificateRow(read, [`*.${domain}`, domain], now),
    renewalRow(report, now),
    limitRow(report, config.certificate.directory, now),
    ...asked.flat(),
  ];
}
