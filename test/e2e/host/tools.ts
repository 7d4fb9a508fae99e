/** The operators' commands at a stack of the platform host. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../../scripts/checkout.ts";
import type { Row } from "../../../scripts/doctor/row.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { backend } from "../../../scripts/toolchain/backend.ts";
import type { ProbeResult } from "../../../scripts/verify/probe.ts";
import { FIRST_SANDBOX, SECOND_SANDBOX, inLab } from "../lab.ts";

/** @param workDir holds Pulumi.host.yaml */
export function toolsFor(workDir: string) {
  const identity = join(workDir, "identity");
  /** One of scripts/, with the options that name the stack behind all. */
  const tool = (name: string, ...args: string[]) => {
    writeFileSync(identity, labSecrets().operator.private, { mode: 0o600 });
    return inLab(
      [
        process.execPath,
        join(checkout, "scripts", `${name}.ts`),
        ...[...args, "--stack", "host", "-C", workDir, "-i", identity],
      ],
      {
        env: {
          ...backend(workDir),
          DAYTONA_API_KEY: labSecrets().daytonaApiKey,
        },
      },
    );
  };

  /** Rows of `npm run doctor`, and what it says of those that want somebody. */
  const doctor = async (): Promise<{ rows: Row[]; wanting: string[] }> => {
    const { stdout, stderr } = await tool("doctor", "--json");
    if (stdout === "") throw new Error(stderr);
    const { rows } = JSON.parse(stdout) as { rows: Row[] };
    const wanting = rows
      .filter(({ state }) => state !== "good")
      .map(({ what, found }) => `${what}: ${found}`);
    return { rows, wanting };
  };

  /** How many probes `npm run verify` tried, and those that failed. */
  const verify = async (
    ...args: string[]
  ): Promise<{ tried: number; failed: ProbeResult[] }> => {
    const { stdout, stderr } = await tool(
      "verify",
      ...["--sandbox", FIRST_SANDBOX, "--other-sandbox", SECOND_SANDBOX],
      ...[...args, "--json"],
    );
    if (stdout === "") throw new Error(stderr);
    const { results } = JSON.parse(stdout) as { results: ProbeResult[] };
    const failed = results.filter(({ ok }) => !ok);
    return { tried: results.length, failed };
  };

  return { tool, doctor, verify };
}
