/** What every cause is: a name, and a judgement of observations. */
import type { CheckName } from "../check-names.ts";
import type { Observations } from "../observations.ts";

export interface Cause {
  /** Number in docs/daytona-doctor.md. */
  readonly id: string;
  readonly title: string;
  readonly judge: (seen: Observations) => Verdict;
  /** What this stack changes about it, and what not. */
  readonly stack: string;
}

/** Lines to type, or sentences where there is no command. */
type Fix = readonly string[];

export type Verdict =
  /** It is there. */
  | { readonly state: "named"; readonly because: string; readonly fix: Fix }
  /** What is seen fits it; what would tell it from others is missing. */
  | { readonly state: "possible"; readonly because: string; readonly fix: Fix }
  | {
      readonly state: "excluded";
      readonly by: CheckName;
      readonly because: string;
    }
  /** It is there, and goes with the cause that is named. */
  | {
      readonly state: "follows";
      readonly from: string;
      readonly because: string;
    }
  | { readonly state: "unknown"; readonly because: string };

export const named = (because: string, ...fix: string[]): Verdict => ({
  ...{ state: "named", because, fix },
});
export const possible = (because: string, ...fix: string[]): Verdict => ({
  ...{ state: "possible", because, fix },
});
export const excluded = (by: CheckName, because: string): Verdict => ({
  ...{ state: "excluded", by, because },
});
export const unknown = (because: string): Verdict => ({
  ...{ state: "unknown", because },
});
export const follows = (from: Cause, because: string): Verdict => ({
  ...{ state: "follows", from: from.id, because },
});

/** Whether it is named, or fits what is seen. */
export const isThere = (verdict: Verdict) =>
  verdict.state === "named" || verdict.state === "possible";
