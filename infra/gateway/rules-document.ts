import { type EgressRule, parseEgressRules } from "./rules.ts";

/**
 * Reads `egress-rules.json` of the store. The rules are parsed again from their
 * URLs: what the store says of them is not believed.
 * @throws Error that lists every problem; the whole document is then refused
 */
export function verifyRules(content: Buffer): EgressRule[] {
  const document = JSON.parse(content.toString()) as {
    rules?: { url?: unknown; mode?: unknown }[];
  };
  const { rules, problems } = parseEgressRules(
    document.rules?.map(({ url, mode }) => ({
      url,
      inspect: mode === "inspect",
    })),
  );
  if (problems.length > 0) {
    const lines = problems.map(({ key, message }) => `${key} ${message}`);
    throw new Error(`refused: ${lines.join("; ")}`);
  }
  return rules;
}
