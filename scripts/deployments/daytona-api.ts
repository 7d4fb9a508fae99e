/**
 * Commands in sandboxes by Daytona's API alone: `/toolbox/{id}/toolbox/…`, which
 * it calls deprecated and still has; it needs no way to Daytona's proxy.
 */
import * as z from "zod";
import { LabError } from "../lab/command.ts";

/** The API ends a command after so long, in ms. */
const longest = 360_000;

const answer = z.object({ exitCode: z.number(), result: z.string() });

/**
 * Runs a line of shell in a sandbox. The API and its key are the environment's,
 * as for Daytona's own SDK: DAYTONA_API_URL, DAYTONA_API_KEY.
 * @throws LabError when one of them is missing
 * @throws Error with what Daytona answered
 */
export async function executeByApi(
  sandbox: string,
  command: string,
): Promise<z.infer<typeof answer>> {
  const { DAYTONA_API_URL: url, DAYTONA_API_KEY: key } = process.env;
  if (!url || !key) {
    throw new LabError(
      `${url ? "DAYTONA_API_KEY" : "DAYTONA_API_URL"} is not set in the environment; commands in a sandbox run by Daytona's API: set DAYTONA_API_URL, such as https://daytona.example.net/api, and DAYTONA_API_KEY`,
    );
  }
  const path = `toolbox/${encodeURIComponent(sandbox)}/toolbox/process/execute`;
  const response = await fetch(`${url.replace(/\/$/, "")}/${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${key}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ command }),
    signal: AbortSignal.timeout(longest),
  });
  const text = await response.text();
  if (response.ok) return answer.parse(JSON.parse(text));
  throw new Error(
    `Daytona answered ${String(response.status)} to POST ${path}: ${text}`,
  );
}
