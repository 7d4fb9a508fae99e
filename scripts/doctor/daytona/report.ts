/** What a person reads: rows, causes, and one paragraph. */
import Table from "cli-table3";
import { isThere } from "./causes/cause.ts";
import { type Judged, judgeAll } from "./causes/table.ts";
import { type CheckRow, checkRows } from "./checks.ts";
import { sandboxEgress } from "./facts.ts";
import type { Observations } from "./observations.ts";
import { printable } from "./printable.ts";

export interface Findings {
  readonly ok: boolean;
  readonly rows: readonly CheckRow[];
  readonly judged: readonly Judged[];
  readonly summary: string;
}

export function findings(seen: Observations): Findings {
  const judged = judgeAll(seen);
  const rows = checkRows(seen, judged);
  return {
    ...{ judged, rows, summary: summary(seen, judged, rows) },
    ok: rows.every(({ state }) => state !== "bad") && !judged.some(isNamed),
  };
}

const isNamed = ({ verdict }: Judged) => verdict.state === "named";

export function asJson(seen: Observations): string {
  const { ok, rows, judged, summary } = findings(seen);
  const causes = judged.map(({ cause: { id, title, stack }, verdict }) => ({
    ...{ id, title, ...verdict, stack },
  }));
  const report = { ok, summary, causes, rows, observations: seen };
  return JSON.stringify(report, null, 2);
}

export function asText({ rows, judged, summary }: Findings): string {
  const there = judged.filter(({ verdict }) => isThere(verdict));
  const login = rows.find(
    ({ check, state }) => check === "login" && state === "bad",
  );
  const parts = [
    table(rows.filter(({ state }) => state !== "none")),
    notAsked(rows),
    ...there.map(causeText),
    ...(login ? [`login: ${login.got}\n${indented(login.fix, "fix: ")}`] : []),
    section("Goes with it:", judged.flatMap(consequence)),
    section("Excluded:", judged.flatMap(exclusion)),
    section("Cannot tell:", openQuestions(judged)),
    summary,
  ];
  return printable(parts.filter((part) => part !== "").join("\n\n"));
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [title, ...lines].join("\n");
}

function table(rows: readonly CheckRow[]): string {
  const shown = new Table({
    head: ["", "check", "asked", "got", "meaning"],
    style: { head: [], border: [], compact: true },
    colWidths: [3, 19, 36, 44, 40],
    wordWrap: true,
    // Addresses and ids are longer than a column.
    wrapOnWordBoundary: false,
  });
  const marks = { good: "✓", warning: "!", bad: "✗", none: "" } as const;
  for (const { check, state, asked, got, meaning } of rows) {
    shown.push([marks[state], check, asked, got, meaning]);
  }
  return shown.toString();
}

function notAsked(rows: readonly CheckRow[]): string {
  const names = rows
    .filter(({ state }) => state === "none")
    .map(({ check }) => check);
  return names.length === 0 ? "" : `Not asked: ${names.join(", ")}.`;
}

function causeText({ cause, verdict }: Judged): string {
  const fix = "fix" in verdict ? verdict.fix : [];
  return [
    `${verdict.state === "named" ? "✗" : "! maybe"} ${cause.id}: ${cause.title}`,
    `  found: ${verdict.because}`,
    indented(fix, "fix:   "),
    `  stack: ${cause.stack}`,
  ].join("\n");
}

function indented(lines: readonly string[], mark: string): string {
  return lines
    .map(
      (line, index) =>
        `  ${index === 0 ? mark : " ".repeat(mark.length)}${line}`,
    )
    .join("\n");
}

function consequence({ cause, verdict }: Judged): string[] {
  return verdict.state === "follows"
    ? [
        `  ${cause.id}: ${cause.title}: ${verdict.because}; from ${verdict.from}`,
      ]
    : [];
}

function exclusion({ cause, verdict }: Judged): string[] {
  return verdict.state === "excluded"
    ? [`  ${cause.id}: ${cause.title}: by "${verdict.by}", ${verdict.because}`]
    : [];
}

/** Reasons, each with the causes that it leaves open. */
function openQuestions(judged: readonly Judged[]): string[] {
  const open = judged.filter(({ verdict }) => verdict.state === "unknown");
  const byReason = Map.groupBy(open, ({ verdict }) =>
    verdict.state === "unknown" ? verdict.because : "",
  );
  return [...byReason].map(
    ([reason, causes]) =>
      `  ${causes.map(({ cause: { id, title } }) => `${id} (${title})`).join(", ")}: ${reason}`,
  );
}

/** One paragraph: what it is, in order, and what this stack changes about it. */
function summary(
  seen: Observations,
  judged: readonly Judged[],
  rows: readonly CheckRow[],
): string {
  const named = judged.filter(isNamed);
  const maybe = judged.filter(({ verdict }) => verdict.state === "possible");
  const stack = [...named, ...maybe].map(
    ({ cause: { id, stack } }) => `${id}: ${stack}`,
  );
  return [
    ...(named.length === 0 ? [] : [`It is: ${list(named)}.`]),
    ...(maybe.length === 0 ? [] : [`It may be: ${list(maybe)}.`]),
    ...(named.length + maybe.length === 0 ? unnamed(seen, rows) : []),
    ...rows
      .filter(({ check, state }) => check === "login" && state === "bad")
      .map(({ got }) => `The server could not be looked at (${got}).`),
    ...(stack.length === 0
      ? []
      : [`What daytona-edge changes about it: ${stack.join(" ")}`]),
  ].join(" ");
}

const list = (all: readonly Judged[]) =>
  all.map(({ cause: { id, title } }) => `${title} (${id})`).join("; then ");

/** That no cause is named does not say that all is well. */
function unnamed(seen: Observations, rows: readonly CheckRow[]): string[] {
  const failed = rows
    .filter(({ state, check }) => state === "warning" && check !== "login")
    .map(({ check }) => check);
  const egress = sandboxEgress(seen);
  const silent = egress !== undefined && egress !== "works";
  if (!silent && failed.length === 0 && seen.server?.error === undefined) {
    return ["No cause is named: what was asked is as it should be."];
  }
  return [
    "No cause is named.",
    ...(silent
      ? [`Sandboxes do not reach ${seen.asked.target.name} (${egress}).`]
      : []),
    ...(failed.length > 0
      ? [`These could not be asked: ${failed.join(", ")}.`]
      : []),
    ...(seen.asked.ssh === undefined
      ? ["A login to the server tells more: --ssh root@SERVER."]
      : []),
  ];
}
