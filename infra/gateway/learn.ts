/**
 * Learn mode: for a while, hosts that no rule names are let through and
 * recorded. Here is what the stack file may ask for, and until when a gateway
 * believes it; what passes, haproxy.cfg says.
 */
import * as z from "zod";
import type { Problem } from "../config/problems.ts";
import { wrong } from "../config/values.ts";

/** Longest time to learn, in days; nobody shall forget that the wall is open. */
const mostDays = 7;
const day = 86_400_000;

/** What haproxy.cfg marks the connections of learn mode with. */
export const learntMark = "learnt";

/**
 * A time with its zone (RFC 3339), as it was written. Without quotes the stack
 * file's YAML makes another kind of value of it, which comes in another form.
 */
export const learnTime = z.iso.datetime({
  offset: true,
  ...wrong(
    'is not a time with a zone; write one such as "2026-11-30T18:00:00Z", with the quotes',
  ),
});

/** `egress.learn` of the stack file. */
export const learnOptions = z.strictObject({
  until: learnTime.meta({
    description: `When it ends, as a time with its zone (RFC 3339) in quotes, ${String(mostDays)} days from now at most.`,
    whenMissing: 'write when it ends, for example "2026-11-30T18:00:00Z"',
    value: "<time>",
  }),
  evenOnProd: z
    .literal(true, wrong("is not true; leave it out where it is not prod"))
    .optional()
    .describe("Asks for it in so many words on a stack named prod."),
});

export interface Learn {
  readonly until: string;
}

/** Why a stack may not learn; keys are relative to `egress.learn`. */
export function learnProblems(
  learn: z.output<typeof learnOptions>,
  { stack, now }: { stack: string; now: Date },
): Problem[] {
  const problems: Problem[] = [];
  if (stack === "prod" && !learn.evenOnProd) {
    problems.push({
      key: "",
      message:
        "would let the sandboxes of prod call any host; remove it, or add evenOnProd: true",
    });
  }
  if (isTooFar(learn, now)) {
    problems.push({
      key: ".until",
      message: `"${learn.until}" is more than ${String(mostDays)} days away; write an earlier time`,
    });
  }
  return problems;
}

/** What whoever previews the stack shall know; a time that has passed is none of its problems. */
export function learnWarning(learn: Learn, now: Date): string {
  return hasPassed(learn, now)
    ? `ended at ${learn.until}, by itself; remove it`
    : `sandboxes may call any host until ${learn.until}; "npm run egress -- learn" shows the rules for what they called`;
}

/**
 * Until when a gateway learns, by its own clock. One that is far behind would
 * learn for long, so that no time is believed which no stack may ask for.
 */
export function learning(
  learn: Learn | undefined,
  now: Date,
): { readonly until?: Date; readonly said: string } {
  if (!learn) return { said: "" };
  if (hasPassed(learn, now)) return { said: `learnt until ${learn.until}` };
  if (isTooFar(learn, now)) {
    return {
      said: `does not learn: ${learn.until} is more than ${String(mostDays)} days away by this clock, ${now.toISOString()}`,
    };
  }
  return {
    until: new Date(learn.until),
    said: `learning until ${learn.until}`,
  };
}

/** The map that haproxy.cfg reads: the time in Unix seconds, or nothing. */
export function learnMap(until: Date | undefined): string {
  return until ? `until ${String(Math.floor(until.getTime() / 1000))}\n` : "";
}

const hasPassed = ({ until }: Learn, now: Date) =>
  new Date(until).getTime() <= now.getTime();

const isTooFar = ({ until }: Learn, now: Date) =>
  new Date(until).getTime() - now.getTime() > mostDays * day;
