/** The smallest change of a rule list that allows what learn mode let through. */
import {
  type EgressRule,
  type ParsedRules,
  type RuleOptions,
  clientCredential,
  covers,
  parseEgressRules,
} from "../../infra/gateway/rules.ts";
import type { Learnt } from "./learnt.ts";
import { pathPatterns } from "./path-patterns.ts";

/** A rule as a stack file writes it. */
export type RuleEntry = string | RuleOptions;

export interface RuleChange {
  /** Rules to add at the end. */
  readonly added: readonly RuleEntry[];
  /** More methods that rules get, by the rules' places in the list. */
  readonly methods: ReadonlyMap<number, readonly string[]>;
  /** What cannot become a rule, and why. */
  readonly notLearnable: readonly { wanted: string; why: string }[];
}

/**
 * Whole hosts where TLS passed through unseen; the paths, and methods if rules
 * have them, where requests were inspected. A credential goes to nothing new.
 * @param written `egress.allow` of the stack file
 * @throws Error when the list itself is wrong
 */
export function smallestRules(
  learnt: readonly Learnt[],
  written: readonly unknown[],
): RuleChange {
  const { rules } = parsed(written);
  const added: RuleEntry[] = [];
  const methods = new Map<number, readonly string[]>();
  const notLearnable: { wanted: string; why: string }[] = [];

  for (const [host, all] of byHost(learnt)) {
    const ofHost = rules.filter((rule) => rule.host === nameOf(host, rules));
    const missing = all.filter((one) => !isAllowed(one, ofHost));
    const because = (why: string) => {
      notLearnable.push(
        ...missing.map((one) => ({ wanted: wantedText(one), why })),
      );
    };
    if (missing.length === 0) continue;
    if (ofHost.length === 0 && missing.some(({ request }) => !request)) {
      const url = `https://${host}/*`;
      const { problems } = parseEgressRules([url]);
      if (problems.length === 0) added.push(url);
      else because(problems.map(({ message }) => message).join("; "));
    } else if (missing.some(({ request }) => !request)) {
      because(
        "passed unseen before its requests were inspected; learn again to see their paths",
      );
    } else if (ofHost.some(({ options }) => options.wildcard)) {
      because(
        "a rule of its own would take the host out of the wildcard's; write it by hand",
      );
    } else {
      const change = ofRequests(host, missing, ofHost);
      if (typeof change === "string") because(change);
      else {
        added.push(...change.added);
        for (const [rule, all] of change.methods) {
          methods.set(rules.indexOf(rule), all);
        }
        notLearnable.push(...change.notLearnable);
      }
    }
  }
  parsed(changedRules(written, { added, methods }));
  return { added, methods, notLearnable };
}

/** A rule list after a change. */
export function changedRules(
  written: readonly unknown[],
  { added, methods }: Pick<RuleChange, "added" | "methods">,
): unknown[] {
  const changed = written.map((entry, index) => {
    const more = methods.get(index);
    if (!more) return entry;
    const rule = entry as RuleOptions;
    return { ...rule, methods: [...(rule.methods ?? []), ...more] };
  });
  return [...changed, ...added];
}

interface RequestChange {
  readonly added: RuleEntry[];
  readonly methods: Map<EgressRule, readonly string[]>;
  readonly notLearnable: { wanted: string; why: string }[];
}

/** The change for requests to one host, or why there is none. */
function ofRequests(
  host: string,
  missing: readonly Learnt[],
  ofHost: readonly EgressRule[],
): RequestChange | string {
  const requests = missing.flatMap(({ request }) => (request ? [request] : []));
  const paths = [...new Set(requests.map(({ path }) => path))].sort();
  const collapsed = pathPatterns(paths);
  // Where a directory would make another rule meaningless, path by path.
  const exact = new Map(
    [...collapsed].map(([path]) => [path, pathPatterns([path]).get(path)]),
  );
  let problem = "";
  for (const patterns of [collapsed, exact]) {
    const change = changeFor(host, requests, patterns, ofHost);
    const { problems } = parseEgressRules(
      changedRules(
        ofHost.map(({ options }) => options),
        {
          added: change.added,
          methods: new Map(
            [...change.methods].map(([rule, all]) => [
              ofHost.indexOf(rule),
              all,
            ]),
          ),
        },
      ),
    );
    if (problems.length === 0) return change;
    problem = problems.map(({ message }) => message).join("; ");
  }
  return problem;
}

function changeFor(
  host: string,
  requests: readonly { method: string; path: string }[],
  patterns: ReadonlyMap<string, string | undefined>,
  ofHost: readonly EgressRule[],
): RequestChange {
  const change: RequestChange = {
    added: [],
    methods: new Map(),
    notLearnable: [],
  };
  const wanted = new Map<string, Set<string>>();
  for (const { method, path } of requests) {
    const pattern = patterns.get(path);
    if (pattern === undefined) {
      change.notLearnable.push({
        wanted: `${method} ${host}${path}`,
        why: "a rule cannot write such a path, and its directory is the whole host",
      });
      continue;
    }
    const url = `https://${host}${pattern}`;
    wanted.set(url, (wanted.get(url) ?? new Set()).add(method));
  }
  const namesMethods = ofHost.some(({ options }) => options.methods);
  const keepsCredentials = ofHost.some(
    ({ options }) => clientCredential(options) !== "pass",
  );
  for (const url of [...wanted.keys()].sort()) {
    const methods = [...(wanted.get(url) ?? [])].sort();
    const present = ofHost.find(({ options }) => options.url === url);
    if (present?.options.credential) {
      change.notLearnable.push({
        wanted: `${methods.join(",")} ${url}`,
        why: "the rule adds a credential; give it the methods by hand",
      });
    } else if (present) {
      const before = present.options.methods ?? [];
      change.methods.set(
        present,
        methods.filter((method) => !before.includes(method)),
      );
    } else if (namesMethods || keepsCredentials) {
      change.added.push({
        url,
        ...(namesMethods ? { methods } : {}),
        ...(keepsCredentials ? { clientCredential: "deny" } : {}),
      });
    } else {
      change.added.push(url);
    }
  }
  return change;
}

function byHost(learnt: readonly Learnt[]): [string, Learnt[]][] {
  const hosts = new Map<string, Learnt[]>();
  for (const one of learnt) {
    hosts.set(one.host, [...(hosts.get(one.host) ?? []), one]);
  }
  return [...hosts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The host as rules name it: exactly, or by the wildcard that stands for it. */
function nameOf(host: string, rules: readonly EgressRule[]): string {
  return rules.some((rule) => rule.host === host)
    ? host
    : host.replace(/^[^.]+/, "*");
}

function isAllowed(
  { request }: Learnt,
  ofHost: readonly EgressRule[],
): boolean {
  return ofHost.some((rule) => {
    if (rule.mode === "splice") return true;
    if (!request) return false;
    const pattern = { host: rule.host, path: request.path, exact: true };
    const { methods } = rule.options;
    return covers(rule, pattern) && (methods?.includes(request.method) ?? true);
  });
}

function wantedText({ host, request }: Learnt): string {
  return request ? `${request.method} ${host}${request.path}` : host;
}

function parsed(written: readonly unknown[]): ParsedRules {
  const all = parseEgressRules(written);
  if (all.problems.length === 0) return all;
  const lines = all.problems.map(({ key, message }) => `${key} ${message}`);
  throw new Error(`egress.allow is wrong: ${lines.join("; ")}`);
}
