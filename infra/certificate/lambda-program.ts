import { join } from "node:path";
import { bundledProgram } from "../machine/bundled-program.ts";

/** One of the functions here as one file for Lambda's Node 24. */
export function lambdaProgram(
  entry: "lambda.ts" | "authority-lambda.ts",
): Uint8Array {
  return bundledProgram(join(import.meta.dirname, entry), "node24");
}
