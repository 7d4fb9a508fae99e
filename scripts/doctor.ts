/** `npm run doctor`: what an operator would look at, one row each. */
import Table from "cli-table3";
import { labSecrets } from "./lab/secrets.ts";
import { Command } from "commander";
import { parseConfig } from "../infra/config.ts";
import { DirectoryStore } from "../infra/certificate/directory-store.ts";
import {
  certificateDocument,
  heldCertificate,
} from "../infra/certificate/held-certificate.ts";
import { challengeName } from "../infra/certificate/dns01.ts";
import { findZone } from "../infra/certificate/name-servers.ts";
import {
  certificateReport,
  reportDocument,
} from "../infra/certificate/report.ts";
import { readDocument } from "../infra/certificate/store.ts";
import { certificateDirectory, storeDirectory } from "./checkout.ts";
import { accountRow } from "./doctor/account.ts";
import { certificateRow, limitRow, renewalRow } from "./doctor/certificate.ts";
import { edgeRow, liveStateRow } from "./doctor/edges.ts";
import {
  addressRows,
  authorizationRow,
  challengeRow,
  serversRow,
} from "./doctor/names.ts";
import { type Row, lookAt } from "./doctor/row.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { edgeAddresses } from "./lab/machine-addresses.ts";
import { type StackName, labStackFile, ownKeys, stackNames } from "./stack.ts";

const command = new Command("npm run doctor --")
  .description(
    `Looks at what must be right for certificates to go on: the one in the store, its
renewal, the authority's limits and account, the domain's records on each name
server, and what each edge serves. Changes nothing. Exits with 1 when a row is bad.`,
  )
  .option("--json", "print the rows as JSON")
  .parse();

await main(async () => {
  ensureInside();
  const { json } = command.opts<{ json?: true }>();
  const rows = (await Promise.all(stackNames.map(rowsOf))).flat();
  const worse = rows.filter(({ state }) => state === "bad");
  if (json) {
    console.log(JSON.stringify({ ok: worse.length === 0, rows }, null, 2));
  } else {
    console.log(table(rows));
    const wanting = rows.filter(({ state }) => state !== "good");
    for (const { stack, what, found, fix = "" } of wanting) {
      console.log(`\n${stack}: ${what}\n  found: ${found}\n  fix:   ${fix}`);
    }
    console.log(
      worse.length === 0
        ? `\nAll ${String(rows.length)} rows are in order.`
        : `\n${String(worse.length)} of ${String(rows.length)} rows need somebody.`,
    );
  }
  if (worse.length > 0) process.exitCode = 1;
});

type StackRow = Row & { readonly stack: StackName };

/** All rows of one of the lab's stacks. */
async function rowsOf(stack: StackName): Promise<StackRow[]> {
  const config = configOf(stack);
  const { domain } = config;
  const { directory, caaIdentity, challenge } = config.certificate;
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
  const kept = [
    certificateRow(read, [`*.${domain}`, domain], now),
    renewalRow(report, now),
    limitRow(report, directory, now),
  ];
  const asked = await Promise.all([
    lookAt(
      "account",
      () => accountRow(directory, accounts, held?.account),
      `is ${new URL(directory).host} reachable, and acme-account.json whole?`,
    ),
    lookAt(
      "name servers",
      recordRows,
      "the system's resolver must find the zone of the domain",
    ),
    edgeRow({
      name: machine,
      addresses: [ipv4, ipv6],
      domain,
      serial: held?.serial,
    }),
    liveStateRow(machine, ipv4),
  ]);
  return [...kept, ...asked.flat()].map((row) => ({ stack, ...row }));

  async function recordRows(): Promise<Row[]> {
    const zone = await findZone(domain);
    const { servers } = zone;
    const ask = "see the row of the name servers";
    const found = await Promise.all([
      serversRow(zone),
      lookAt(
        "addresses",
        () => addressRows(servers, domain, { ipv4, ipv6 }),
        ask,
      ),
      lookAt(
        "CAA",
        () => authorizationRow(servers, domain, caaIdentity, held?.account),
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
}

/** The stack's configuration, without its secrets. */
function configOf(stack: StackName) {
  const given = ownKeys(labStackFile(stack, labSecrets()));
  const { config, problems } = parseConfig(given, {
    stack,
    now: new Date(),
  });
  if (config) return config;
  throw new Error(
    problems
      .map(({ key, message }) => `daytona-edge:${key}: ${message}`)
      .join("\n"),
  );
}

function table(rows: readonly StackRow[]): string {
  const shown = new Table({
    head: ["", "stack", "what", "found"],
    style: { head: [], border: [], compact: true },
    colWidths: [null, null, null, 90],
  });
  const marks = { good: "✓", warning: "!", bad: "✗" } as const;
  for (const { stack, what, state, found } of rows) {
    shown.push([marks[state], stack, what, found]);
  }
  return shown.toString();
}
