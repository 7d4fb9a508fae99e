/** The allow list as people read it: one row a rule, for a terminal or a document. */
import {
  type EgressRule,
  clientCredential,
} from "../../infra/gateway/rules.ts";

export const rulesHead = [
  "what sandboxes may call",
  "how",
  "methods",
  "credential",
  "the sandbox's own",
  "also",
];

/** Cells of one row for each rule, in the order of the rules. */
export function rulesRows(rules: readonly EgressRule[]): string[][] {
  return rules.map(({ options, mode }) => {
    const { credential, methods, upgrade, ech, wildcard } = options;
    const also = [
      ...(upgrade ? [upgrade] : []),
      ...(ech === "allow" ? ["encrypted hello"] : []),
      ...(wildcard ? ["any first label"] : []),
    ];
    return [
      options.url,
      mode,
      mode === "splice" ? "unseen" : (methods?.join(", ") ?? "all"),
      credential
        ? [credential.header, credential.scheme, `(${credential.secret})`]
            .filter((part) => part !== undefined)
            .join(" ")
        : "",
      mode === "splice" ? "unseen" : clientCredential(options),
      also.join(", "),
    ];
  });
}

/** The same as a table in Markdown. */
export function rulesMarkdown(rules: readonly EgressRule[]): string {
  const rows = [
    rulesHead,
    rulesHead.map(() => "---"),
    // A bar would end the cell, and a star is emphasis.
    ...rulesRows(rules).map(([url = "", ...cells]) => [`\`${url}\``, ...cells]),
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
