import { isDeepStrictEqual } from "node:util";
import { type EgressRule, parseEgressRules } from "./rules.ts";

/**
 * Reads `egress-rules.json` of the store. The rules are parsed again from their
 * URLs, and whatever else the store says of them has to come out of that: a
 * rule that meant more where it was written (a limit that only a newer version
 * knows, say) is refused rather than enforced in part.
 * @throws Error that lists every problem; the whole document is then refused
 */
export function verifyRules(content: Buffer): EgressRule[] {
  const stored = storedRules(content);
  const { rules, problems } = parseEgressRules(stored.map(asWritten));
  if (problems.length > 0) {
    const lines = problems.map(({ key, message }) => `${key} ${message}`);
    throw new Error(`refused: ${lines.join("; ")}`);
  }
  rules.forEach((rule, index) => {
    const said = stored[index];
    if (!isDeepStrictEqual({ ...rule, ...(said as object) }, rule)) {
      throw new Error(
        `refused: [${String(index)}] means ${JSON.stringify(rule)} here, but the store says ${JSON.stringify(said)}; install a gateway of the version that wrote it`,
      );
    }
  });
  return rules;
}

function storedRules(content: Buffer): unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(content.toString());
  } catch (error) {
    throw new Error(`refused: not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const rules = (document as { rules?: unknown } | null)?.rules;
  if (!Array.isArray(rules)) {
    throw new Error('refused: it has no list "rules"');
  }
  return rules;
}

/** A rule as the stack file would have it. */
function asWritten(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null) return stored;
  const { url, mode } = stored as { url?: unknown; mode?: unknown };
  return { url, inspect: mode === "inspect" };
}
