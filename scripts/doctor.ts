/** `npm run doctor`: what an operator would look at, one row each. */
import Table from "cli-table3";
import { Command, Option } from "commander";
import {
  type StackOptions,
  openDeployment,
  withStack,
} from "./deployments/open.ts";
import type { Given } from "./doctor/daytona/observe.ts";
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
with 1 when a row is bad.

With --daytona it looks at a Daytona of yours, with nothing of this project there:
why nobody reaches a sandbox, and why it reaches nobody.`,
  )
  .option("--daytona", "look at Daytona itself, by its API, by SSH or by both")
  .addOption(
    new Option("--api <url>", "with --daytona: address of its API").env(
      "DAYTONA_API_URL",
    ),
  )
  .addOption(
    new Option(
      "--key <key>",
      "with --daytona: a key of it; as a variable it stays out of\nthe shell's history",
    ).env("DAYTONA_API_KEY"),
  )
  .option(
    "--ssh <login>",
    "with --daytona: its server, as ssh takes it,\nsuch as root@203.0.113.7",
  )
  .option(
    "--sandbox <id>",
    "with --daytona: which one (default: the first that runs)",
  )
  .option(
    "--from <url>",
    "with --daytona: an address that your callers use, when it\nis not one that Daytona's API names",
  )
  .option(
    "--target <host>",
    "with --daytona: a host that sandboxes are to reach",
    "api.github.com",
  )
  .option("--json", "print the rows as JSON")
  .parse();

interface DoctorOptions extends StackOptions, Given {
  readonly json?: true;
  readonly daytona?: true;
  readonly identity?: string;
}

type StackRow = Row & { readonly stack: string };

await main(async () => {
  const options = command.opts<DoctorOptions>();
  const { stack, json } = options;
  if (options.daytona) {
    const { daytonaDoctor } = await import("./doctor/daytona/doctor.ts");
    await daytonaDoctor(options, json);
    return;
  }
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
    console.log(`\n${verdict(rows.length, worse.length, wanting.length)}`);
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

function verdict(rows: number, bad: number, wanting: number): string {
  if (bad > 0) return `${String(bad)} of ${String(rows)} checks failed.`;
  return wanting === 0
    ? `All ${String(rows)} rows are in order.`
    : `Nothing is wrong; ${String(wanting)} of ${String(rows)} rows need somebody.`;
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
