/** The rows of one of the lab's stacks, whose stores lie in this checkout. */
import { DirectoryStore } from "../../infra/certificate/directory-store.ts";
import {
  certificateDocument,
  heldCertificate,
} from "../../infra/certificate/held-certificate.ts";
import {
  certificateReport,
  reportDocument,
} from "../../infra/certificate/report.ts";
import { readDocument } from "../../infra/certificate/store.ts";
import { certificateDirectory, storeDirectory } from "../checkout.ts";
import { edgeAddresses } from "../lab/machine-addresses.ts";
import { labSecrets } from "../lab/secrets.ts";
import { readStackFile } from "../own-stack.ts";
import { type StackName, labStackFile } from "../stack.ts";
import { accountRow } from "./account.ts";
import { certificateRow, limitRow, renewalRow } from "./certificate.ts";
import { edgeRow, liveStateRow } from "./edges.ts";
import { recordRows } from "./records.ts";
import { type Row, lookAt } from "./row.ts";

export async function labStackRows(stack: StackName): Promise<Row[]> {
  const config = readStackFile(labStackFile(stack, labSecrets()), stack);
  const { domain } = config;
  const { directory } = config.certificate;
  const machine = config.local.edge;
  const { ipv4, ipv6 } = edgeAddresses[machine];
  const store = new DirectoryStore(storeDirectory(machine));
  const accounts = new DirectoryStore(
    `${certificateDirectory(machine)}/account`,
  );
  const now = new Date();
  const read = await readDocument(store, certificateDocument, heldCertificate);
  const report = await readDocument(store, reportDocument, certificateReport);
  const held = read && "value" in read ? read.value : undefined;
  const asked = await Promise.all([
    lookAt(
      "account",
      () => accountRow(directory, accounts, held?.account),
      `is ${new URL(directory).host} reachable, and acme-account.json whole?`,
    ),
    recordRows({
      config,
      edge: { ipv4: [ipv4], ipv6: [ipv6] },
      account: held?.account,
    }),
    edgeRow({
      name: machine,
      addresses: [ipv4, ipv6],
      domain,
      serial: held?.serial,
    }),
    liveStateRow(machine, async () => {
      const response = await fetch(`http://${ipv4}:8404/status`, {
        signal: AbortSignal.timeout(5_000),
      });
      if (response.ok) return response.text();
      throw new Error(
        `its agent does not answer (HTTP ${String(response.status)})`,
      );
    }),
  ]);
  return [
    certificateRow(read, [`*.${domain}`, domain], now),
    renewalRow(report, now),
    limitRow(report, directory, now),
    ...asked.flat(),
  ];
}
