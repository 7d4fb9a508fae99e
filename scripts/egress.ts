/** `npm run egress`: what sandboxes wanted of the world, and did not get. */
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { denialUnits, denialsOf, grouped } from "./egress/denials.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { run } from "./lab/command.ts";
import { inMachine } from "./lab/machine.ts";

interface DenialsOptions {
  readonly since: string;
  readonly sandbox?: string;
  readonly json?: true;
}

const program = new Command("npm run egress --")
  .description("What sandboxes wanted of the world, and did not get.")
  .showHelpAfterError();

program
  .command("denials")
  .description("what the gateway refused, the most frequent first")
  .option("--since <time>", "how far back: 90s, 15m, 6h or 2d", age, "1h")
  .option("--sandbox <address>", "of one sandbox only")
  .option("--json", "as JSON, one group a line")
  .action(async (options: DenialsOptions) => {
    ensureInside();
    const journal = await run(
      inMachine("daytona", [
        "journalctl",
        ...["--no-pager", "--output=json", `--since=-${options.since}`],
        ...denialUnits.map((unit) => `--unit=${unit}`),
      ]),
    );
    const groups = grouped(denialsOf(journal)).filter(
      ({ sandbox }) =>
        options.sandbox === undefined || sandbox === options.sandbox,
    );
    if (options.json) {
      for (const group of groups) console.log(JSON.stringify(group));
      return;
    }
    if (groups.length === 0) {
      console.log(`Nothing was refused in the last ${options.since}.`);
      return;
    }
    const table = new Table({
      head: [
        "times",
        "last",
        "sandbox",
        "wanted",
        "refused by",
        "why",
        "nearest rule",
      ],
      style: { head: [], border: [], compact: true },
      colAligns: ["right"],
      colWidths: [null, null, null, 46, null, null, null],
    });
    for (const { count, last, sandbox, wanted, by, reason, rule } of groups) {
      const time = new Date(last).toISOString().slice(11, 19);
      table.push([
        count,
        time,
        sandbox,
        visible(wanted),
        by,
        reason,
        visible(rule),
      ]);
    }
    console.log(table.toString());
    console.log(
      "Times are UTC. To allow something, add its URL to egress.allow; the README's part on the road out says how.",
    );
  });

/** A sandbox chose these characters; a terminal must not obey them. */
function visible(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}

function age(text: string): string {
  if (/^[1-9][0-9]{0,5}[smhd]$/.test(text)) return text;
  throw new InvalidArgumentError(
    "It is a number and s, m, h or d, such as 15m.",
  );
}

await main(async () => {
  await program.parseAsync();
});
