/** What the edge answers, asked with curl as a person would. */
import { execa } from "execa";
import type { Probe } from "./probe.ts";

interface Answer {
  /** 0 when there was none; `text` says why. */
  readonly status: number;
  readonly text: string;
}

export interface AnswerProbe {
  readonly name: string;
  readonly url: string;
  /** More for curl. */
  readonly args?: readonly string[];
  /** Makes the token that goes with the request; it is never shown. */
  readonly token?: (() => Promise<string>) | undefined;
  readonly status: number;
  /** Code of the edge's own error. */
  readonly code?: string;
  /** What is expected in words, where status and code do not say it. */
  readonly expected?: string;
  /** What else must be true of the answer. */
  readonly judge?: (text: string) => boolean;
}

/** A probe of the ingress that is judged by its answer. */
export function answerProbe(probe: AnswerProbe): Probe {
  const { name, url, args = [], token, status, code } = probe;
  const { judge = () => true } = probe;
  const shown = token ? ['-H "X-Sandbox-Token: $TOKEN"'] : [];
  return {
    road: "in",
    name,
    command: ["curl", ...args, ...shown, url].join(" "),
    expected: probe.expected ?? [String(status), code ?? ""].join(" ").trim(),
    attempt: async () => {
      const field = token ? ["-H", `X-Sandbox-Token: ${await token()}`] : [];
      const answer = await curl([...args, ...field, url]);
      const said = codeOf(answer);
      const [line = ""] = answer.text.trim().split(/\r?\n/, 1);
      return {
        ok: answer.status === status && said === code && judge(answer.text),
        got: line.startsWith("HTTP/")
          ? [line, said ?? ""].join(" ").trim()
          : `${String(answer.status)} ${said ?? line}`,
      };
    },
  };
}

async function curl(args: readonly string[]): Promise<Answer> {
  const { stdout, stderr, exitCode } = await execa(
    "curl",
    ["-sS", "--max-time", "20", "-w", "\n%{http_code}", ...args],
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

/** Code of the error that the edge itself made, as JSON or as a page. */
function codeOf({ status, text }: Answer): string | undefined {
  if (status < 400) return undefined;
  return (
    /"code":"([a-z_]+)","message"/.exec(text)?.[1] ??
    /^x-sandbox-error: ([a-z_]+)\r?$/im.exec(text)?.[1]
  );
}
