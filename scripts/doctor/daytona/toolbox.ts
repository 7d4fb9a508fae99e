/**
 * Commands in a sandbox as any client runs them, and how the daemon there treats
 * them. None writes to the sandbox's disk.
 */
import * as z from "zod";
import { answered, getJson, sendJson, text, versionAnswer } from "./api.ts";
import type { Answer, Execution, Target, ToolboxSeen } from "./observations.ts";

/** How long an answer may take, in ms. */
const limit = 25_000;

/** A shell prints "second"; who splits words prints the rest of the line. */
export const shellLine = "echo first > /dev/null && echo second";

/** Its child keeps the output open when only the shell is killed. */
const longLine = 'sh -c "sleep 5; true"';
/** In seconds. */
const longLimit = 2;

/** A lost exit status is sporadic; so many find one that comes in one of ten. */
const runs = 40;
const atOnce = 8;

const execution = z.object({
  exitCode: z.number(),
  result: z
    .string()
    .nullish()
    .transform((text) => text ?? ""),
});

export interface ToolboxArgs {
  /** Address of Daytona's API. */
  readonly api: string;
  readonly key: string;
  /** Of the toolbox by Daytona's proxy, without the sandbox's id. */
  readonly url: string | undefined;
  /** Whether another computer than this can have that address. */
  readonly isElsewhere: boolean;
  readonly sandbox: string;
}

type Run = (command: string, seconds?: number) => Promise<Execution>;

export async function askToolbox(
  args: ToolboxArgs,
): Promise<{ seen: ToolboxSeen; run: Run | undefined }> {
  const { api, key, sandbox } = args;
  const url = `${(args.url ?? "").replace(/\/$/, "")}/${sandbox}`;
  const byProxy: ToolboxSeen["byProxy"] = args.isElsewhere
    ? await answered(async () => {
        const { status, body } = await getJson(`${url}/version`, key);
        const version = versionAnswer.safeParse(body);
        if (version.success) return version.data.version;
        throw new Error(`answers ${String(status)}: ${text(body)}`);
      })
    : { error: "not asked: the address is each computer's own" };
  const way = byProxy.error === undefined ? "proxy" : "API";
  const at = way === "proxy" ? url : `${api}/toolbox/${sandbox}/toolbox`;
  const run: Run = async (command, timeout) => {
    const { status, body } = await sendJson(`${at}/process/execute`, key, {
      method: "POST",
      body: JSON.stringify({ command, timeout }),
      signal: AbortSignal.timeout(limit),
    });
    const said = execution.safeParse(body);
    if (status === 200 && said.success) return said.data;
    throw new Error(`answers ${String(status)}: ${text(body)}`);
  };
  const shell = await answered(() => run(shellLine));
  const seen = { url: args.url, byProxy, way, shell } as const;
  if (shell.error !== undefined) return { seen, run: undefined };
  const [limited, repeated] = await Promise.all([
    answered(() => timeOf(run)),
    answered(() => repeat(run)),
  ]);
  return { seen: { ...seen, limited, repeated }, run };
}

/** That it is ended is an answer: an error, or exit code -1. */
async function timeOf(run: Run) {
  const start = performance.now();
  try {
    await run(longLine, longLimit);
  } catch (error) {
    if (!/^answers (408|50\d)/.test((error as Error).message)) throw error;
  }
  return { limit: longLimit, seconds: (performance.now() - start) / 1000 };
}

async function repeat(run: Run) {
  let left = runs;
  let lost = 0;
  const turns = Array.from({ length: atOnce }, async () => {
    while (left-- > 0) if ((await run("true")).exitCode === -1) lost++;
  });
  await Promise.all(turns);
  return { runs, lost };
}

/**
 * A script of sh in the sandbox, in words that a daemon without a shell also
 * splits as they are meant.
 */
export async function scriptByToolbox(
  run: Run,
  script: string,
  { name, address }: Target,
): Promise<Answer<string>> {
  const encoded = Buffer.from(script).toString("base64");
  const line = `sh -c "echo ${encoded} | base64 -d | sh -s sandbox ${name} ${address}"`;
  return answered(async () => {
    const { exitCode, result } = await run(line);
    if (result.includes("sandbox.")) return result;
    throw new Error(
      `the script of checks ended with ${String(exitCode)}: ${text(result)}`,
    );
  });
}
