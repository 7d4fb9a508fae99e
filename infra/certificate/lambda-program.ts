import { join } from "node:path";
import { bundledProgram } from "../machine/bundled-program.ts";

/** The certificate's function as one file for Lambda's Node 24. */
export function lambdaProgram(): Uint8Array {
  return bundledProgram(join(import.meta.dirname, "lambda.ts"), "node24");
}
