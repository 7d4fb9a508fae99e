/** `egress-rules.json` of the store: the rules, as the stack file writes them. */
import { type EgressRule, parseEgressRules } from "./rules.ts";

/** What the gateway's agent reads. */
export function rulesDocument(rules: readonly EgressRule[]): string {
  const document = { rules: rules.map(({ options }) => options) };
  return JSON.stringify(document, undefined, 2);
}

/**
 * Reads the document. A rule that means more where it was written (an option
 * that only a newer version knows, say) is refused rather than enforced in part.
 * @throws Error that lists every problem; the whole document is then refused
 */
export function verifyRules(content: Buffer): EgressRule[] {
  let document: unknown;
  try {
    document = JSON.parse(content.toString());
  } catch (error) {
    throw new Error(`refused: not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const written = (document as { rules?: unknown } | null)?.rules;
  if (!Array.isArray(written)) {
    throw new Error('refused: it has no list "rules"');
  }
  const { rules, problems } = parseEgressRules(written);
  if (problems.length > 0) {
    const lines = problems.map(({ key, message }) => `${key} ${message}`);
    throw new Error(`refused: ${lines.join("; ")}`);
  }
  return rules;
}
