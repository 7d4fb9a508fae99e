/** `npm run egress`: what sandboxes may call, and what they wanted and did not get. */
import Table from "cli-table3";
import { Command, InvalidArgumentError, Option } from "commander";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEgressRules } from "../infra/gateway/rules.ts";
import { unenforcedLines } from "../infra/gateway/unenforced.ts";
import { egressOf } from "./deployments/egress-of.ts";
import type { JournalEntry } from "./deployments/journal.ts";
import {
  type StackOptions,
  openDeployment,
  readConfig,
  withStack,
} from "./deployments/open.ts";
import { denialUnits, denialsOf, grouped } from "./egress/denials.ts";
import { learntOf } from "./egress/learnt.ts";
import { whyNotLearnt } from "./egress/not-learnable.ts";
import { rulesHead, rulesMarkdown, rulesRows } from "./egress/rules-table.ts";
import { smallestRules } from "./egress/smallest-rules.ts";
import {
  changedStackFile,
  fileDiff,
  writtenRules,
} from "./egress/stack-file.ts";
import { main } from "./failure.ts";

interface LogOptions extends StackOptions {
  /** For example "15m". */
  readonly since: string;
}

interface DenialsOptions extends LogOptions {
  readonly sandbox?: string;
  readonly json?: true;
}

const program = new Command("npm run egress --")
  .description(
    "What sandboxes may call, and what they wanted of the world and did not get.",
  )
  .showHelpAfterError();

const stackOf = ({ stack = "local" }: StackOptions) => stack;
const command = (name: string) =>
  withStack(program.command(name), "the lab's stack local");

command("rules")
  .description("what the stack lets through, one row a rule")
  .option("--markdown", "for a document")
  .action((options: StackOptions & { markdown?: true }) => {
    const stack = stackOf(options);
    const { egressRules: rules } = egressOf(stack, readConfig(stack, options));
    if (options.markdown) {
      console.log(rulesMarkdown(rules));
      return;
    }
    const table = new Table({
      head: rulesHead,
      style: { head: [], border: [], compact: true },
    });
    table.push(...rulesRows(rules));
    console.log(table.toString());
    console.log(unenforcedLines(rules).join("\n"));
  });

command("denials")
  .description("what the gateways refused, the most frequent first")
  .addOption(since("1h"))
  .option("--sandbox <address>", "of one sandbox only")
  .option("--json", "as JSON, one group a line")
  .action(async (options: DenialsOptions) => {
    const groups = grouped(denialsOf(await gatewayLogs(options))).filter(
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

command("learn")
  .description(
    "the smallest change of the stack file that allows what learn mode let through, as a diff on standard output; changes nothing itself",
  )
  .addOption(since("7d"))
  .action(async (options: LogOptions) => {
    const logs = await gatewayLogs(options);
    const name = `Pulumi.${stackOf(options)}.yaml`;
    const before = await readFile(join(options.cwd, name), "utf8");
    const change = smallestRules(learntOf(logs), writtenRules(before));
    const after = changedStackFile(before, change);
    if (after === before) {
      console.error(
        `Nothing was learnt in the last ${options.since} that the rules of ${name} do not allow.`,
      );
    } else {
      console.log(await fileDiff(name, before, after));
    }
    const { rules } = parseEgressRules(writtenRules(after));
    const others = [
      ...change.notLearnable,
      ...grouped(denialsOf(logs)).flatMap((denial) => {
        const why = whyNotLearnt(denial, rules);
        return why === undefined
          ? []
          : [{ wanted: denial.wanted || "(no name)", why }];
      }),
    ].map(({ wanted, why }) => `  ${visible(wanted)}  ${visible(why)}`);
    if (others.length > 0) {
      console.error("\nWanted, and in no diff:");
      console.error([...new Set(others)].join("\n"));
    }
  });

async function gatewayLogs(options: LogOptions): Promise<JournalEntry[]> {
  await using deployment = await openDeployment(stackOf(options), options);
  egressOf(deployment.name, deployment.config);
  return await deployment.logs({
    of: "gateways",
    since: new Date(Date.now() - milliseconds(options.since)),
    units: denialUnits,
  });
}

function since(usual: string): Option {
  return new Option("--since <time>", "how far back: 90s, 15m, 6h or 2d")
    .argParser(age)
    .default(usual);
}

/** A sandbox chose these characters; a terminal must not obey them. */
function visible(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}

/** @param age as the option takes it */
function milliseconds(age: string): number {
  const units = { s: 1, m: 60, h: 3_600, d: 86_400 };
  const unit = age.slice(-1) as keyof typeof units;
  return Number.parseInt(age) * units[unit] * 1_000;
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
