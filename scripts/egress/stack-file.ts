/** A change of rules as a change of the text of Pulumi.<stack>.yaml. */
import { execa } from "execa";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  Document,
  type Node,
  type YAMLSeq,
  isMap,
  isSeq,
  parseDocument,
} from "yaml";
import {
  type RuleChange,
  type RuleEntry,
  changedRules,
} from "./smallest-rules.ts";

const place = ["config", "daytona-edge:egress", "allow"];

/** Text to put in. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** `egress.allow` of a stack file. */
export function writtenRules(text: string): unknown[] {
  const rules = parseDocument(text).getIn(place);
  return isSeq(rules) ? rules.toJSON() : [];
}

/**
 * The stack file after a change. All that the change is not about stays as it
 * was written, comments and all: text is put in, nothing is written anew.
 * @throws Error when the file has no list of rules, or is written in a way in
 *   which the change cannot be put
 */
export function changedStackFile(
  text: string,
  change: Pick<RuleChange, "added" | "methods">,
): string {
  const list = parseDocument(text).getIn(place, true);
  if (!isSeq(list) || !list.range) {
    throw new Error("the stack file has no list egress.allow");
  }
  const insertions: Insertion[] = [...change.methods].map(([index, methods]) =>
    addition(text, methodsOf(list.items[index]), methods),
  );
  if (change.added.length > 0) {
    insertions.push(addition(text, list, change.added));
  }
  // From the end, so that no place moves before it is used.
  const changed = insertions
    .sort((a, b) => a.at - b.at)
    .reverse()
    .reduce(
      (whole, { at, text }) => whole.slice(0, at) + text + whole.slice(at),
      text,
    );
  const wanted = changedRules(writtenRules(text), change);
  if (!isDeepStrictEqual(writtenRules(changed), wanted)) {
    throw new Error(
      `the stack file is written in a way in which a change cannot be put; the rules are ${JSON.stringify(wanted)}`,
    );
  }
  return changed;
}

/**
 * A unified diff of a file, which `git apply` takes in the file's directory.
 * @param name of the file
 */
export async function fileDiff(
  name: string,
  before: string,
  after: string,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "daytona-edge-diff-"));
  try {
    for (const [side, text] of [
      ["a", before],
      ["b", after],
    ] as const) {
      await mkdir(join(directory, side));
      await writeFile(join(directory, side, name), text);
    }
    const { stdout, exitCode, stderr } = await execa(
      "git",
      [
        ...["diff", "--no-index", "--no-prefix", "--no-color", "--no-ext-diff"],
        ...[`a/${name}`, `b/${name}`],
      ],
      { cwd: directory, reject: false },
    );
    // 1 stands for "they differ".
    if (exitCode !== 0 && exitCode !== 1) throw new Error(stderr);
    return stdout;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Items at the end of a list, in the list's own style. */
function addition(
  text: string,
  list: YAMLSeq,
  added: readonly RuleEntry[],
): Insertion {
  const [start = 0, end = 0] = list.range ?? [];
  if (list.flow) {
    const last = (list.items.at(-1) as Node | undefined)?.range?.[1];
    const items = added.map((entry) => JSON.stringify(entry)).join(", ");
    return last === undefined
      ? { at: start + 1, text: items }
      : { at: last, text: `, ${items}` };
  }
  const column = start - (text.lastIndexOf("\n", start) + 1);
  const block = added
    .flatMap(linesOf)
    .map((line) => `${" ".repeat(column)}${line}\n`)
    .join("");
  if (text[end - 1] === "\n") return { at: end, text: block };
  // A comment behind the last item belongs to it.
  const next = text.indexOf("\n", end) + 1;
  return next === 0
    ? { at: text.length, text: `\n${block}` }
    : { at: next, text: block };
}

/** An item of a block list. */
function linesOf(entry: RuleEntry): string[] {
  const document = new Document([entry]);
  const methods = document.getIn([0, "methods"]);
  if (isSeq(methods)) methods.flow = true;
  return document
    .toString({ flowCollectionPadding: false, lineWidth: 0 })
    .trimEnd()
    .split("\n");
}

function methodsOf(entry: unknown): YAMLSeq {
  const methods = isMap(entry) ? entry.get("methods", true) : undefined;
  if (isSeq(methods)) return methods;
  throw new Error("a rule of the stack file has no list of methods");
}
