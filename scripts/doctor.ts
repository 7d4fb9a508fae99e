/** `npm run doctor`: what an operator would look at, one row each. */
import Table from "cli-table3";
import { Command } from "commander";
import { hostStackRows } from "./doctor/host-stack.ts";
import type { Row } from "./doctor/row.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import {
  type OwnStackOptions,
  labStack,
  ownStack,
  withOwnStack,
} from "./own-stack.ts";
import { stackNames } from "./stack.ts";

const command = withOwnStack(new Command("npm run doctor --"))
  .description(
    `Looks at what must be right for both roads to stay open: the certificate in the
store, its renewal, the authority's limits and account, the domain's records on
each name server, what each edge serves and, on servers of your own, whether
somebody changed files, units or rules by hand. Changes nothing. Exits with 1
when a row is bad.`,
  )
  .option("--json", "print the rows as JSON")
  .parse();

interface DoctorOptions extends OwnStackOptions {
  readonly json?: true;
}

type StackRow = Row & { readonly stack: string };

await main(async () => {
  const options = command.opts<DoctorOptions>();
  const { stack, json } = options;
  const rows =
    stack === undefined
      ? await labRows()
      : named(stack, await hostStackRows(ownStack(stack, options)));
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

async function labRows(): Promise<StackRow[]> {
  await ensureInside();
  const rows = await Promise.all(
    stackNames.map(async (stack) =>
      named(stack, await hostStackRows(labStack(stack))),
    ),
  );
  return rows.flat();
}

function named(stack: string, rows: readonly Row[]): StackRow[] {
  return rows.map((row) => ({ stack, ...row }));
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
