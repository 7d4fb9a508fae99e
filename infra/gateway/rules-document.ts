/** `egress-rules.json` of the store: the rules, as the stack file writes them. */
import { type Learn, learnTime } from "./learn.ts";
import { type EgressRule, parseEgressRules } from "./rules.ts";

/** What holds for sandboxes. */
export interface Policy {
  readonly rules: readonly EgressRule[];
  /** Whether unlisted hosts are let through and recorded, and until when. */
  readonly learn?: Learn | undefined;
}

/**
 * What the gateway's agent reads. Learn mode puts the rules elsewhere, so that
 * an agent which knows nothing of it finds none, and refuses.
 */
export function rulesDocument(
  rules: readonly EgressRule[],
  learn?: Learn,
): string {
  const written = rules.map(({ options }) => options);
  const document = learn
    ? { learn: { until: learn.until, beside: written } }
    : { rules: written };
  return JSON.stringify(document, undefined, 2);
}

/**
 * Reads the document. A rule that means more where it was written (an option
 * that only a newer version knows, say) is refused rather than enforced in part.
 * @throws Error that lists every problem; the whole document is then refused
 */
export function verifyRules(content: string): Policy {
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch (error) {
    throw new Error(`refused: not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { rules: plain, learn, ...others } = fields(document);
  const { until, beside, ...more } = fields(learn);
  const written = learn === undefined ? plain : beside;
  if (!Array.isArray(written)) {
    const list = learn === undefined ? "rules" : "learn.beside";
    throw new Error(`refused: it has no list "${list}"`);
  }
  const { rules, problems } = parseEgressRules(written);
  const lines = problems.map(({ key, message }) => `${key} ${message}`);
  const time = learnTime.safeParse(until);
  if (learn !== undefined && !time.success) {
    lines.push(...time.error.issues.map((issue) => `until ${issue.message}`));
  }
  if (learn !== undefined && plain !== undefined) {
    lines.push("rules stand twice, beside learn and in it");
  }
  for (const key of [...Object.keys(others), ...Object.keys(more)]) {
    lines.push(`${key} nothing reads this key`);
  }
  if (lines.length > 0) throw new Error(`refused: ${lines.join("; ")}`);
  return time.success ? { rules, learn: { until: time.data } } : { rules };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)
    : {};
}
