/** Why a command that reaches a sandbox's daemon does not do what was meant. */
import { daemonVersion, isBefore } from "../facts.ts";
import { type Cause, excluded, named, unknown } from "./cause.ts";

const needsKey =
  "needs a key: --api URL, and DAYTONA_API_KEY in the environment";
const newer =
  "make the sandbox anew from a snapshot of this Daytona's version: its daemon comes with it";

export const noShell: Cause = {
  id: "1",
  title: "old daemon: commands run without a shell",
  judge(o) {
    const version = daemonVersion(o);
    const said = o.toolbox?.shell.value;
    if (said && said.result.trim() !== "second" && said.exitCode !== 127) {
      const answer = JSON.stringify({
        ...{ exitCode: said.exitCode, result: said.result.trim() },
      });
      return named(
        `"echo first > /dev/null && echo second" gives ${answer}: ">" and "&&" are arguments there${version === undefined ? "" : `, as before v0.156.0; this daemon is ${version}`}`,
        `wrap each command: {"command": "sh -c 'echo a > /tmp/x && cat /tmp/x'"}`,
        newer,
      );
    }
    if (said) return excluded("shell", "a shell ran the line");
    const isOld = isBefore(version, "0.156.0");
    if (isOld === undefined) {
      return unknown(`its version is not known; ${needsKey}`);
    }
    return isOld
      ? named(
          `the sandbox's daemon is ${String(version)}; before v0.156.0 it splits words itself and runs the first: "cd", "export" and "a && b" give {"exitCode":-1,"result":""}`,
          `wrap each command: {"command": "sh -c 'echo a > /tmp/x && cat /tmp/x'"}`,
          newer,
        )
      : excluded("versions", `the daemon is ${String(version)}`);
  },
  stack:
    "It calls ports directly, so that nobody needs a command for a request; commands stay as the daemon runs them.",
};

export const limitIgnored: Cause = {
  id: "2",
  title: "a command's time limit does not end its children",
  judge(o) {
    const { value, error } = o.toolbox?.limited ?? {};
    if (value) {
      const { limit, seconds } = value;
      const took = `a command of 5 s with "timeout": ${String(limit)} took ${seconds.toFixed(1)} s`;
      return seconds > limit + 2
        ? named(
            `${took}; before v0.155.0 only the first process is ended`,
            `let the command limit itself: {"command": "timeout 30 sh -c '…'"}`,
            newer,
          )
        : excluded("time limits", took);
    }
    const isOld = isBefore(daemonVersion(o), "0.155.0");
    if (isOld === false) {
      return excluded("versions", `the daemon is ${String(daemonVersion(o))}`);
    }
    return unknown(error ?? needsKey);
  },
  stack: "Nothing: the limit is the daemon's.",
};

export const statusLost: Cause = {
  id: "3",
  title: "exit codes are lost now and then",
  judge(o) {
    const { value, error } = o.toolbox?.repeated ?? {};
    const version = daemonVersion(o);
    if (value && value.lost > 0) {
      return named(
        `"true" gave exit code -1 in ${String(value.lost)} of ${String(value.runs)} runs: another part of the daemon takes the status first (v0.123.0 to v0.177.0)`,
        "do not go by the exit code: let the command print it, …; echo status $?",
        newer,
      );
    }
    if (
      isBefore(version, "0.123.0") === true ||
      isBefore(version, "0.178.0") === false
    ) {
      return excluded("versions", `the daemon is ${String(version)}`);
    }
    return value
      ? unknown(
          `none of ${String(value.runs)} runs lost its status; it is rare, and version ${version ?? "unknown"} may have it`,
        )
      : unknown(error ?? needsKey);
  },
  stack: "Nothing: the status is the daemon's.",
};

export const tooLong: Cause = {
  id: "4",
  title: "long commands are called as if they were short",
  judge: () =>
    unknown(
      "only short commands were run; if yours end with 408 or 504 after 300 or 360 s, start them in a session with runAsync, or with nohup … >/tmp/log 2>&1 </dev/null &",
    ),
  stack:
    "A server in the sandbox is then called by its own port, for hours if need be.",
};
