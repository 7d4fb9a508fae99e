/**
 * The allow list: one parser, pure. Everything that the gateway enforces (DNS
 * names, proxy maps, the inspecting authority's names) derives from its rules.
 */
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { type Problem, check, oneOf } from "../config/problems.ts";
import { text, wrong } from "../config/values.ts";
import { secretName } from "./credentials-document.ts";
import { type UrlPattern, parseUrlPattern } from "./rule-url.ts";

/** Headers that a credential may be sent in; haproxy.cfg knows the same ones. */
export const credentialHeaders = [
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
] as const;

/** One rule with its options, as the stack file writes it. */
const options = z.strictObject({
  url: z.string(wrong('is not a URL; write "https://host/*"')).meta({
    description:
      "What is allowed: https://host/* (the whole host), https://host/path/* (all below the path) or https://host/path (exactly that).",
    whenMissing: 'write the URL pattern, such as "https://host/*"',
    value: "'<https://host/*>'",
  }),
  methods: z
    .array(
      text(
        /^(?!(CONNECT|TRACE|TRACK)$)[A-Z]{3,20}$/,
        "is not a method that can be allowed; write it in upper case, such as GET",
      ),
      wrong("is not a list of methods; write for example [GET, POST]"),
    )
    .min(
      1,
      "an empty list allows nothing; name a method, or leave it out for all of them",
    )
    .optional()
    .describe(
      "Methods that are allowed, all but CONNECT and TRACE when absent. A wider rule's methods count as well.",
    ),
  inspect: z
    .literal([true, false, "never"], wrong("is not true, false or never"))
    .optional()
    .describe(
      "true: requests to a whole host are checked too. never: TLS passes through whatever the path says, for sandboxes that cannot trust the gateway's authority.",
    ),
  credential: z
    .strictObject(
      {
        header: z
          .string()
          .transform((header) => header.toLowerCase())
          .pipe(
            z.enum(
              credentialHeaders,
              wrong(
                `is not a header for a credential; write one of ${credentialHeaders.join(", ")}`,
              ),
            ),
          )
          .meta({
            description: `Header that it is sent in: ${oneOf(credentialHeaders)}, in any case.`,
            whenMissing: `write one of ${credentialHeaders.join(", ")}`,
          }),
        scheme: text(
          /^[A-Za-z][A-Za-z0-9-]{0,30}$/,
          "is not a scheme; write for example Bearer, or leave it out",
        )
          .optional()
          .describe("Word before the secret, such as Bearer (RFC 9110, 11.4)."),
        secret: text(
          secretName,
          "is not the name of a secret; write one such as openrouter, and set it: pulumi config set --secret --path credentials.openrouter",
        ).meta({
          description: "Name of the secret in credentials.",
          whenMissing: "write the name of a secret in credentials",
        }),
      },
      wrong(
        "is no credential; write {header: authorization, scheme: Bearer, secret: name}",
      ),
    )
    .optional()
    .describe(
      "What the gateway adds to each request; then a sandbox needs no key.",
    ),
  clientCredential: z
    .enum(["pass", "replace", "deny"], wrong("is not pass, replace or deny"))
    .optional()
    .describe(
      "What becomes of credentials that the sandbox itself sends: pass (default without a credential), replace (default with one) or deny.",
    ),
  upgrade: z
    .literal(
      "websocket",
      wrong("cannot be allowed; write websocket, or leave it out"),
    )
    .optional()
    .describe(
      "websocket allows WebSockets, where requests are inspected and no credential is added.",
    ),
  ech: z
    .enum(["refuse", "allow"], wrong("is not refuse or allow"))
    .optional()
    .describe(
      "allow lets Encrypted ClientHello pass to a spliced host, whose true name is then unseen. Refused by default, and browsers' GREASE with it.",
    ),
  wildcard: z
    .literal(true, wrong("is not true; leave it out for an exact name"))
    .optional()
    .describe(
      "true asks for the * in https://*.example.org/*, one label. A sandbox can then put data into the names that the gateway looks up.",
    ),
});

/** One entry of `egress.allow`, as it is written in the stack file. */
export type RuleOptions = z.output<typeof options>;

/** One allowed URL pattern. */
export interface EgressRule extends UrlPattern {
  readonly options: RuleOptions;
  /**
   * `splice`: TLS passes through after its name was checked. `inspect`: TLS
   * ends at the gateway and every request is checked.
   */
  readonly mode: "splice" | "inspect";
}

/** `egress.allow`: URL patterns, or objects of one and its options. */
export const egressRules = z
  .array(
    z
      .union(
        [z.string(), options],
        wrong(
          'is neither a URL nor an object; write "https://host/*" or {url: "https://host/*", inspect: true}',
        ),
      )
      .transform(ruleOf),
    wrong(
      "is not a list; write the allowed URLs as a list, for example [https://api.github.com/*]",
    ),
  )
  // No refinement: that is asked of rules that are wrong, too.
  .transform((rules, context) => {
    for (const problem of [
      ...contradictions(rules),
      ...tooManyInspected(rules),
    ]) {
      context.addIssue({ code: "custom", ...problem });
    }
    return rules;
  });

export interface ParsedRules {
  readonly rules: EgressRule[];
  /** Keys are an entry's place, such as `[0].url`. */
  readonly problems: Problem[];
}

/** Parses `egress.allow` alone; all problems are found at once. */
export function parseEgressRules(input: unknown): ParsedRules {
  const { data = [], problems } = check(egressRules, input ?? null);
  return {
    rules: data,
    problems: problems.map(({ key, message }) => ({ key, message })),
  };
}

function ruleOf(
  entry: string | RuleOptions,
  context: z.RefinementCtx,
): EgressRule {
  const rule = typeof entry === "string" ? { url: entry } : entry;
  const pattern = parseUrlPattern(rule.url, rule.wildcard === true);
  if (typeof pattern === "string") {
    context.addIssue({
      code: "custom",
      path: typeof entry === "string" ? [] : ["url"],
      message: pattern,
    });
    return z.NEVER;
  }
  for (const [name, message] of optionProblems(rule, pattern)) {
    context.addIssue({ code: "custom", path: [name], message });
  }
  return {
    ...pattern,
    options: rule,
    mode: needsInspection(rule, pattern) ? "inspect" : "splice",
  };
}

/** Whether TLS has to end at the gateway for the rule to be enforced. */
function needsInspection(rule: RuleOptions, pattern: UrlPattern): boolean {
  if (rule.inspect === "never") return false;
  return (
    rule.inspect === true ||
    pattern.exact ||
    pattern.path !== "/" ||
    rule.methods !== undefined ||
    clientCredential(rule) !== "pass"
  );
}

/**
 * What becomes of a sandbox's own credentials: where the gateway has one it
 * replaces them, or a stranger's account would be as good as ours.
 */
export function clientCredential(
  rule: RuleOptions,
): NonNullable<RuleOptions["clientCredential"]> {
  return rule.clientCredential ?? (rule.credential ? "replace" : "pass");
}

/** Options that do not go together, as key and message. */
function optionProblems(
  rule: RuleOptions,
  pattern: UrlPattern,
): [keyof RuleOptions, string][] {
  const problems: [keyof RuleOptions, string][] = [];
  if (rule.inspect === "never") {
    const unseen = (
      ["methods", "credential", "clientCredential", "upgrade"] as const
    ).filter((name) => rule[name] !== undefined);
    problems.push(
      ...unseen.map((name): [keyof RuleOptions, string] => [
        name,
        "cannot be enforced with inspect: never, for nobody looks at the requests; remove one of the two",
      ]),
    );
  }
  const inspected = needsInspection(rule, pattern);
  if (rule.ech !== undefined && inspected) {
    problems.push([
      "ech",
      "means nothing where requests are inspected, for TLS ends at the gateway; remove it",
    ]);
  }
  if (rule.upgrade && !inspected && rule.inspect !== "never") {
    problems.push([
      "upgrade",
      "means nothing where TLS passes through unseen; remove it, or add inspect: true",
    ]);
  }
  if (rule.upgrade && rule.credential) {
    problems.push([
      "upgrade",
      "cannot go with a credential: what an open WebSocket says is not searched for it; remove one of the two, or let sandboxes bring a key of their own",
    ]);
  }
  if (rule.clientCredential === "replace" && !rule.credential) {
    problems.push([
      "clientCredential",
      '"replace" has nothing to put in; add a credential, or write deny',
    ]);
  }
  if (rule.clientCredential === "pass" && rule.credential) {
    problems.push([
      "clientCredential",
      '"pass" would let a sandbox use an account of its own instead of the credential; write replace or deny',
    ]);
  }
  return problems;
}

/** What is wrong with the list, or with one of its entries beside others. */
interface ListProblem {
  readonly path: number[];
  readonly message: string;
}

/** Rules that cannot both hold, or that change nothing. */
function contradictions(rules: readonly EgressRule[]): ListProblem[] {
  return rules.flatMap((rule, index) => {
    const { url } = rule.options;
    const problem = (message: string) => [
      { path: [index], message: `"${url}" ${message}` },
    ];
    const earlier = rules.slice(0, index);
    if (earlier.some((other) => other.options.url === url)) {
      return problem("stands twice; remove one");
    }
    const opposed = earlier.find(
      (other) => other.host === rule.host && other.mode !== rule.mode,
    );
    if (opposed) {
      return problem(
        `and "${opposed.options.url}" cannot both hold: one passes ${rule.host} through unseen, the other looks at its requests; remove the narrower one, or write {url: "https://${rule.host}/*", inspect: true}`,
      );
    }
    const otherEch = earlier.find(
      (other) =>
        other.host === rule.host && other.options.ech !== rule.options.ech,
    );
    if (otherEch) {
      return problem(
        `and "${otherEch.options.url}" cannot both hold: they differ in ech, which counts for the whole host; write the same in both`,
      );
    }
    const wider = rules.find(
      (other) =>
        other !== rule && covers(other, rule) && addsNothing(rule, other),
    );
    return wider
      ? problem(
          `narrows nothing: "${wider.options.url}" allows all of it; remove it, or limit the other`,
        )
      : [];
  });
}

/**
 * The gateway's authority is constrained to the inspected hosts, by name, and
 * HAProxy serves its certificate from one buffer of 16 KiB. A name takes four
 * bytes more than its length, and Base64 makes 65 of 48.
 */
export const mostNameBytes = 10_000;

function tooManyInspected(rules: readonly EgressRule[]): ListProblem[] {
  const hosts = new Set(
    rules.filter(({ mode }) => mode === "inspect").map(({ host }) => host),
  );
  const bytes = [...hosts].reduce((sum, host) => sum + host.length + 4, 0);
  if (bytes <= mostNameBytes) return [];
  const message = `the names of the ${String(hosts.size)} inspected hosts take ${String(bytes)} bytes, and the gateway's authority has room for ${String(mostNameBytes)}; allow some of them as a whole, without a path and with inspect: never`;
  return [{ path: [], message }];
}

/** Whether everything that `rule` is about lies under `other` too. */
export function covers(other: UrlPattern, rule: UrlPattern): boolean {
  if (other.host !== rule.host) return false;
  return other.exact
    ? rule.exact && rule.path === other.path
    : rule.path.startsWith(other.path);
}

/** Whether `rule` looks narrower than `other`, which allows all that it does. */
function addsNothing(rule: EgressRule, other: EgressRule): boolean {
  const { methods } = rule.options;
  if (methods === undefined) return false;
  const sameOtherwise =
    clientCredential(rule.options) === clientCredential(other.options) &&
    isDeepStrictEqual(rule.options.credential, other.options.credential) &&
    rule.options.upgrade === other.options.upgrade;
  const all = other.options.methods;
  return (
    sameOtherwise &&
    (all === undefined || methods.every((method) => all.includes(method)))
  );
}
