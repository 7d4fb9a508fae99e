/** Which connections a change of rules must cut. */
import { type EgressRule, clientCredential, covers } from "./rules.ts";

/**
 * Rules that allowed something which the new ones do not: removed, or with
 * fewer methods or a stricter condition. What was opened under them may be just
 * that, so all of it has to go; what a rule gains cuts nothing.
 */
export function narrowedRules(
  before: readonly EgressRule[],
  after: readonly EgressRule[],
): EgressRule[] {
  return before.filter((rule) => {
    const others = after.filter((other) => isAsWide(other, rule));
    const allows = (method: string) =>
      others.some(
        ({ mode, options }) =>
          mode === "splice" || (options.methods ?? [method]).includes(method),
      );
    // "*" stands for the methods that nobody lists.
    return !(rule.options.methods ?? ["*"]).every(allows);
  });
}

/** Whether `other` allows the paths of `rule`, and asks for no more. */
function isAsWide(other: EgressRule, rule: EgressRule): boolean {
  if (!covers(other, rule)) return false;
  if (other.mode === "splice") {
    return rule.options.ech !== "allow" || other.options.ech === "allow";
  }
  return (
    rule.mode === "inspect" &&
    (rule.options.upgrade === undefined ||
      rule.options.upgrade === other.options.upgrade) &&
    (clientCredential(rule.options) !== "pass" ||
      clientCredential(other.options) === "pass")
  );
}

/** What haproxy.cfg marks the connections of a rule with. */
export function markedBy(rule: EgressRule): string {
  return rule.mode === "splice" ? rule.host : rule.options.url;
}
