/** What a suite needs to itself while it runs. */
import { readFileSync } from "node:fs";

/**
 * `whole`: a lab with the stacks. `surroundings`: one with the internet and
 * Daytona only, for suites that bring machines of their own and say so by
 * `@module-tag surroundings`. `nothing`: neither.
 */
export type Need = "whole" | "surroundings" | "nothing";

/** @param file absolute path of a suite */
export function needOf(file: string): Need {
  if (!file.includes("/test/e2e/")) return "nothing";
  return /@module-tag surroundings\b/.test(readFileSync(file, "utf8"))
    ? "surroundings"
    : "whole";
}
