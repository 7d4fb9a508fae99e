/** What the edge answers, asked with curl as a person would. */
import { execa } from "execa";
import type { Probe } from "./probe.ts";

export interface Answer {
  /** 0 when there was none; `text` says why. */
  readonly status: number;
  readonly text: string;
}

export async function curl(
  url: string,
  args: readonly string[] = [],
): Promise<Answer> {
  const { stdout, stderr, exitCode } = await execa(
    "curl",
    ["-sS", "--max-time", "20", "-w", "\n%{http_code}", ...args, url],
    {
      reject: false,
      env: { CURL_CA_BUNDLE: process.env.NODE_EXTRA_CA_CERTS ?? "" },
    },
  );
  if (exitCode !== 0) return { status: 0, text: stderr };
  const mark = stdout.lastIndexOf("\n");
  return {
    status: Number(stdout.slice(mark + 1)),
    text: stdout.slice(0, mark),
  };
}

export interface AnswerProbe {
  readonly name: string;
  /** What a person would type to try the same. */
  readonly command: string;
  readonly status: number;
  /** Code of the edge's own error. */
  readonly code?: string;
  /** What is expected in words, where status and code do not say it. */
  readonly expected?: string;
  readonly ask: () => Promise<Answer>;
  /** What else must be true of the answer. */
  readonly judge?: (text: string) => boolean;
}

/** A probe of the road in that is judged by its answer. */
export function answerProbe(probe: AnswerProbe): Probe {
  const { name, command, status, code, judge = () => true } = probe;
  const wanted = `${String(status)}${code === undefined ? "" : ` ${code}`}`;
  return {
    road: "in",
    name,
    command,
    expected: probe.expected ?? wanted,
    attempt: async () => {
      const answer = await probe.ask();
      const said = codeOf(answer);
      const rest = said ?? answer.text.trim().split(/\r?\n/, 1)[0] ?? "";
      return {
        ok: answer.status === status && said === code && judge(answer.text),
        got: `${String(answer.status)} ${rest}`,
      };
    },
  };
}

/** Code of the error that the edge itself made, as JSON or as a page. */
function codeOf({ status, text }: Answer): string | undefined {
  if (status < 400) return undefined;
  return (
    /"code":"([a-z_]+)","message"/.exec(text)?.[1] ??
    /^x-sandbox-error: ([a-z_]+)\r?$/im.exec(text)?.[1]
  );
}
