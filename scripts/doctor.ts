/** `npm run doctor`: what an operator would look at, one row each. */
import Table from "cli-table3";
import { Command } from "commander";
import {
  type StackOptions,
  openDeployment,
  withStack,
} from "./deployments/open.ts";
import { hostStackRows } from "./doctor/host-stack.ts";
import type { Row } from "./doctor/row.ts";
import { main } from "./failure.ts";
import { stackNames } from "./stack.ts";

const command = withStack(
  new Command("npm run doctor --"),
  "both of the lab's stacks",
)
  .description(
    `Looks at what must be right for ingress and egress: the certificate in the store,
its renewal, the authority's limits and account, the domain's records on each name
server and what each edge serves. On servers of your own also whether the edge reaches
Daytona's proxy, and whether somebody changed files, units or rules by hand. On AWS
also which machines are healthy, whether they are as deployed, whether new ones get
addresses and stay within AWS' quotas, and what alarms say. Changes nothing. Exits
with 1 when a row is bad.`,
  )
  .option("--json", "print the rows as JSON")
  .parse();

interface DoctorOptions extends StackOptions {
  readonly json?: true;
}

type StackRow = Row & { readonly stack: string };

await main(async () => {
  const options = command.opts<DoctorOptions>();
  const { stack, json } = options;
  const rows =
    stack === undefined
      ? (
          await Promise.all(stackNames.map((name) => rowsOf(name, options)))
        ).flat()
      : await rowsOf(stack, options);
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
        : `\n${String(worse.length)} of ${String(rows.length)} checks failed.`,
    );
  }
  if (worse.length > 0) process.exitCode = 1;
});

async function rowsOf(
  stack: string,
  options: StackOptions,
): Promise<StackRow[]> {
  await using deployment = await openDeployment(stack, options);
  const rows =
    deployment.platform === "host"
      ? await hostStackRows(deployment)
      : // Loaded where it is used: its SDK takes other platforms half a second.
        await (await import("./doctor/aws-stack.ts")).awsStackRows(deployment);
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
