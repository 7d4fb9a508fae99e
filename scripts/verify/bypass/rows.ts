/**
 * Ways around an egress list that may be tried at a living gateway: each row is
 * one of the matrix that other products' advisories, issues and test suites
 * make up. They run as root in a sandbox, change nothing there or elsewhere,
 * and need no more than a stack's rules and addresses.
 */
import { addressRows } from "./addresses.ts";
import { helloRows } from "./hellos.ts";
import { nameRows } from "./names.ts";
import { requestRows } from "./requests.ts";
import type { Row } from "./row.ts";
import type { BypassTarget } from "./target.ts";

/** The rows, in the order of their numbers. */
export function liveRows(target: BypassTarget): Row[] {
  return [
    ...nameRows(target),
    ...addressRows(target),
    ...helloRows(target),
    ...(target.inspected ? requestRows(target, target.inspected) : []),
  ].sort((a, b) => a.number - b.number);
}
