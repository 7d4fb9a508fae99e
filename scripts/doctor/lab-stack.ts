/** The rows of one of the lab's stacks, whose stores lie in this checkout. */
import { DirectoryStore } from "../../infra/certificate/directory-store.ts";
import { heldCertificate } from "../../infra/certificate/held-certificate.ts";
import { certificateDirectory, storeDirectory } from "../checkout.ts";
import { edgeAddresses } from "../lab/machine-addresses.ts";
import { labSecrets } from "../lab/secrets.ts";
import { readStackFile } from "../own-stack.ts";
import { type StackName, labStackFile } from "../stack.ts";
import { accountRow } from "./account.ts";
import { edgeRows } from "./edge-rows.ts";
import { type Row, lookAt } from "./row.ts";

export function labStackRows(stack: StackName): Promise<Row[]> {
  const config = readStackFile(labStackFile(stack, labSecrets()), stack);
  const { directory } = config.certificate;
  const machine = config.local.edge;
  const { ipv4, ipv6 } = edgeAddresses[machine];
  const accounts = new DirectoryStore(
    `${certificateDirectory(machine)}/account`,
  );
  return edgeRows({
    config,
    store: new DirectoryStore(storeDirectory(machine)),
    certificate: heldCertificate,
    name: machine,
    edge: { ipv4: [ipv4], ipv6: [ipv6] },
    account: (orderedBy) =>
      lookAt(
        "account",
        () => accountRow(directory, accounts, orderedBy),
        `is ${new URL(directory).host} reachable, and acme-account.json whole?`,
      ),
    status: async () => {
      const response = await fetch(`http://${ipv4}:8404/status`, {
        signal: AbortSignal.timeout(5_000),
      });
      if (response.ok) return response.text();
      throw new Error(
        `its agent does not answer (HTTP ${String(response.status)})`,
      );
    },
  });
}
