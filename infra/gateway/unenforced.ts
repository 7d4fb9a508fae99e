/** What the rules do not enforce, in plain words: for the preview and for verify. */
import { type EgressRule, clientCredential } from "./rules.ts";

export interface Unenforced {
  /** Place of the rule in `egress.allow`. */
  readonly index: number;
  /**
   * The option that makes it so. Without one it is what the URL says, and the
   * preview does not warn.
   */
  readonly option?: "inspect" | "wildcard" | "ech";
  /** Host or URL that it is about. */
  readonly subject: string;
  readonly text: string;
}

const unseen =
  "paths, methods, credentials: whoever holds an account there can send data out";

/** Every gap of every rule, in the order of the rules. */
export function unenforced(rules: readonly EgressRule[]): Unenforced[] {
  return rules.flatMap((rule, index) => {
    const { host, options, mode } = rule;
    const gaps: Omit<Unenforced, "index">[] = [];
    if (mode === "splice") {
      const looksNarrower = rule.exact || rule.path !== "/";
      gaps.push({
        ...(looksNarrower ? { option: "inspect" } : {}),
        subject: host,
        text: unseen,
      });
    } else if (clientCredential(options) === "pass") {
      gaps.push({
        subject: options.url,
        text: "credentials: whoever holds an account there can send data out; a credential of the gateway's, or clientCredential: deny, ends that",
      });
    }
    if (options.ech === "allow") {
      gaps.push({
        option: "ech",
        subject: host,
        text: "the name: an encrypted hello can ask the same servers for any other site of theirs",
      });
    }
    if (options.wildcard) {
      gaps.push({
        option: "wildcard",
        subject: host,
        text: "the first label: a sandbox chooses the names that the gateway looks up, and data can leave in them; name the hosts if you can",
      });
    }
    return gaps.map((gap) => ({ index, ...gap }));
  });
}

/** One line for what is the same at several hosts; nothing when all is enforced. */
export function unenforcedLines(rules: readonly EgressRule[]): string[] {
  const subjects = new Map<string, Set<string>>();
  for (const { subject, text } of unenforced(rules)) {
    const known = subjects.get(text) ?? new Set();
    subjects.set(text, known.add(subject));
  }
  return Array.from(
    subjects,
    ([text, named]) => `not enforced for ${[...named].join(", ")}: ${text}`,
  );
}
