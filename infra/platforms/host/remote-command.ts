/**
 * One of remote/ as a resource. The scripts go by standard input, ahead of what
 * they read there: the plugin begins an error with the whole command line, and
 * behind pages of shell nobody finds the cause.
 */
import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  type Login,
  type RemoteScript,
  connectionTo,
  remoteScript,
} from "./server.ts";

/** One of remote/, and what is in its environment. */
export interface ScriptRun {
  readonly script: RemoteScript;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RemoteCommandArgs {
  readonly login: Login;
  readonly create: ScriptRun;
  readonly delete?: ScriptRun;
  /** What `create` reads from standard input. */
  readonly input?: pulumi.Input<string>;
}

export function remoteCommand(args: RemoteCommandArgs): remote.CommandArgs {
  const textOf = ({ script, environment }: ScriptRun) =>
    remoteScript(args.login.server, script, environment);
  const runs = [args.create, ...(args.delete ? [args.delete] : [])];
  const { lines, sent } = scriptLines(
    runs.map((run) => ({ name: run.script, text: textOf(run) })),
  );
  const [create = "", remove] = lines;
  return {
    connection: connectionTo(args.login),
    create,
    ...(remove && { delete: remove }),
    stdin: pulumi.concat(sent, args.input ?? ""),
    // sshd takes no environment by itself, and the plugin would warn of that.
    addPreviousOutputInEnv: false,
  };
}

/**
 * For each script the command line that runs it. All are sent to each, a line
 * for each script, for the plugin has one standard input for a resource. `read`
 * takes not a byte beyond its line, so a script reads what is behind them all. A
 * line that does not come whole is not run.
 */
export function scriptLines(
  scripts: readonly { readonly name: string; readonly text: string }[],
): { readonly lines: readonly string[]; readonly sent: string } {
  return {
    lines: scripts.map(({ name }, index) => {
      const reads = scripts.map((_, other) =>
        other === index ? "read -r script" : "read -r _",
      );
      // The name is for whoever reads an error.
      return `: ${name}; ${reads.join(" && ")} && eval "$(echo "$script" | base64 -d)"`;
    }),
    sent: scripts
      .map(({ text }) => `${Buffer.from(text).toString("base64")}\n`)
      .join(""),
  };
}
