/** What a certificate authority says when it refuses (RFC 7807, RFC 8555 6.7). */
import * as z from "zod";
import { retryAfter } from "./http.ts";

const identifier = z.looseObject({ type: z.string(), value: z.string() });

/** A problem document, as it stands in answers, orders and challenges. */
export const problemDocument = z.looseObject({
  type: z.string().default("about:blank"),
  detail: z.string().default("no detail given"),
  status: z.int().optional(),
  subproblems: z
    .array(
      z.looseObject({
        type: z.string().default("about:blank"),
        detail: z.string().default("no detail given"),
        identifier: identifier.optional(),
      }),
    )
    .default([]),
});

export type ProblemDocument = z.infer<typeof problemDocument>;

const prefix = "urn:ietf:params:acme:error:";

/** The authority's refusal, in its own words. */
export class AcmeProblem extends Error {
  override readonly name = "AcmeProblem";
  /** Type without the common prefix, for example `rateLimited`. */
  readonly type: string;
  readonly detail: string;
  /** HTTP status; absent for a problem inside an order or a challenge. */
  readonly status: number | undefined;
  readonly subproblems: ProblemDocument["subproblems"];
  /** When the authority will listen again, if it said so. */
  readonly retryAfter: Date | undefined;

  /** @param asked what was asked for, for example `order for *.example.net`. */
  constructor(asked: string, problem: ProblemDocument, retryAfter?: Date) {
    super(message(asked, problem, retryAfter));
    this.type = shortType(problem.type);
    this.detail = problem.detail;
    this.status = problem.status;
    this.subproblems = problem.subproblems;
    this.retryAfter = retryAfter;
  }

  /** Reads the problem document of an unsuccessful answer. */
  static async from(response: Response, asked: string): Promise<AcmeProblem> {
    const wait = retryAfter(response.headers);
    const problem = parseProblem(await response.text());
    return new AcmeProblem(
      asked,
      { ...problem, status: response.status },
      wait === undefined ? undefined : new Date(Date.now() + wait),
    );
  }
}

function parseProblem(body: string): ProblemDocument {
  try {
    return problemDocument.parse(JSON.parse(body));
  } catch {
    // A proxy or a broken server in front of the authority answered.
    const text = body.replaceAll(/\s+/g, " ").trim().slice(0, 200);
    return problemDocument.parse(text === "" ? {} : { detail: text });
  }
}

function shortType(type: string): string {
  return type.startsWith(prefix) ? type.slice(prefix.length) : type;
}

function message(
  asked: string,
  problem: ProblemDocument,
  retryAfter: Date | undefined,
): string {
  const facts = [
    shortType(problem.type),
    ...(problem.status === undefined ? [] : [`HTTP ${String(problem.status)}`]),
    ...(retryAfter ? [`try again after ${retryAfter.toISOString()}`] : []),
  ];
  return [
    `The certificate authority refused the ${asked}: ${problem.detail} (${facts.join(", ")})`,
    ...problem.subproblems.map(
      (sub) =>
        `  ${sub.identifier?.value ?? "(no name)"}: ${sub.detail} (${shortType(sub.type)})`,
    ),
  ].join("\n");
}
