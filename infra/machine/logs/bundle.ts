/** What of a bundle sends the machine's rows to CloudWatch. */
import { join } from "node:path";
import type { Bundle } from "../bundle.ts";
import { bundledProgram } from "../bundled-program.ts";
import { copiedFrom } from "../copied-file.ts";
import { etc, lib, systemd } from "../places.ts";

const copy = copiedFrom(import.meta.dirname);

/** Where rows go. */
export interface LogsPlace {
  readonly region: string;
  /** Name of the log group. */
  readonly group: string;
  /** Units of the place where the machine stands, whose rows go there too. */
  readonly units?: readonly string[];
}

export const logsUnit = "daytona-logs.service";

/** @param units whose rows are sent, beside its own */
export function logsPart(
  { region, group, units: more = [] }: LogsPlace,
  units: readonly string[],
): Pick<Bundle, "files" | "units"> {
  const environment = [
    `LOGS_REGION=${region}`,
    `LOGS_GROUP=${group}`,
    `LOGS_UNITS="${[...units, ...more, logsUnit].join(" ")}"`,
    "",
  ].join("\n");
  return {
    files: [
      {
        path: `${etc("logs")}/env`,
        content: environment,
        mode: 0o644,
      },
      {
        path: `${lib}/logs.cjs`,
        content: bundledProgram(join(import.meta.dirname, "main.ts")),
        mode: 0o644,
      },
      copy(logsUnit, `${systemd}/${logsUnit}`),
    ],
    units: [logsUnit],
  };
}
