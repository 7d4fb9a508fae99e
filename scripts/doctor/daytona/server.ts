/**
 * The server's half, by SSH: one shell script on standard input, and what its
 * lines say. The user's own ssh runs it, with their known hosts and settings.
 */
import { execa } from "execa";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shellCommand } from "../../lab/daytona/shell-command.ts";
import { json } from "../../deployments/journal.ts";
import type {
  Answer,
  DaytonaContainer,
  DockerNetwork,
  NetworkSeen,
  RulesSeen,
  RunnerSeen,
  ServerSeen,
  Target,
} from "./observations.ts";
import { daytonaConfig, versionAnswer } from "./api.ts";
import { type Lines, linesOf, networkSeen } from "./reach.ts";

/** How long the script may take, in ms; a server that is well needs some 15 s. */
const scriptLimit = 50_000;

const script = (name: string) =>
  readFileSync(join(import.meta.dirname, `${name}.sh`), "utf8");

/** Runs in a sandbox by its toolbox where nobody logs in. */
export const reachScript = script("reach");

/** The script, with what it needs to know before it. */
export function serverScript(target: Target, sandbox = ""): string {
  const variables = {
    name: target.name,
    address: target.address,
    sandbox,
    reach: reachScript,
    rules: script("rules"),
  };
  const assignments = Object.entries(variables).map(
    ([name, value]) => `${name}=${shellCommand([value])}`,
  );
  return [...assignments, script("server")].join("\n");
}

/** Runs a script of sh as root where that needs no password, else as the user. */
const asRootIfAllowed =
  'if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n sh -s; else exec sh -s; fi';

export interface SshTarget {
  /** As ssh(1) takes it: a host, user@host, or a name of its configuration. */
  readonly destination: string;
  readonly identity?: string | undefined;
}

/** @throws Error with what ssh said, or that it took too long */
export async function scriptBySsh(
  { destination, identity }: SshTarget,
  input: string,
): Promise<string> {
  const result = await execa(
    "ssh",
    [
      // Nobody is there to be asked for a password.
      ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-T"],
      ...(identity === undefined ? [] : ["-i", identity]),
      ...["--", destination, asRootIfAllowed],
    ],
    { input, reject: false, timeout: scriptLimit },
  );
  if (result.timedOut) {
    // What was said until then may name what hangs.
    if (result.stdout !== "") return result.stdout;
    throw new Error(`no answer within ${String(scriptLimit / 1000)} s`);
  }
  if (result.exitCode === 255 || result.stdout === "") {
    const said = result.stderr.trim().split("\n").at(-1);
    throw new Error(said || result.shortMessage || "ssh said nothing");
  }
  return result.stdout;
}

/** @param said by server.sh */
export function serverSeen(said: string): ServerSeen {
  const lines = linesOf(said);
  const { first, all } = lines;
  const version = first("server.docker");
  const runner = runnerSeen(lines);
  const proxyToRunner = first("server.proxy-to-runner");
  const config = daytonaConfig(json(first("server.answer-api") ?? ""));
  const proxy = versionAnswer.safeParse(
    json(first("server.answer-proxy") ?? ""),
  );
  return {
    os: first("server.os") ?? "",
    isRoot: first("server.root") === "yes",
    docker: answer(version, first("server.docker-error")),
    host: networkSeen(lines, "host"),
    rules: rulesSeen(lines, "host"),
    networks: networksSeen(lines, "server"),
    listeners: all("server.listener"),
    units: [
      ...all("server.unit"),
      ...(first("server.ufw")?.endsWith(" active") ? ["ufw"] : []),
    ].filter((unit, index, units) => units.indexOf(unit) === index),
    // Only named if not empty there.
    proxies: all("server.proxy"),
    containers: all("server.container").map(containerSeen),
    ...(config && { config }),
    ...(proxy.success && { proxyVersion: proxy.data.version }),
    dialErrors: all("server.dial-error"),
    ...(proxyToRunner !== undefined && {
      proxyToRunner: proxyToRunner.startsWith("yes")
        ? { value: "answers" }
        : { error: proxyToRunner.replace(/^no /, "") },
    }),
    ...(runner && { runner }),
  };
}

function answer(
  value: string | undefined,
  error = "no answer",
): Answer<string> {
  return value === undefined ? { error } : { value };
}

function containerSeen(line: string): DaytonaContainer {
  const [service = "", name = "", image = "", state = "", project = ""] =
    line.split("|");
  return {
    service: service as DaytonaContainer["service"],
    ...{ name, image, state, project },
  };
}

function networksSeen({ all }: Lines, scope: string): DockerNetwork[] {
  return all(`${scope}.network`).map((line) => {
    const [name = "", ...subnets] = line.split(" ");
    return { name, subnets };
  });
}

function rulesSeen({ first, all }: Lines, scope: string): RulesSeen {
  return {
    forwarding: first(`${scope}.forwarding`) !== "0",
    iptables: first(`${scope}.iptables`) ?? "",
    rules: all(`${scope}.rule`),
    otherRules: all(`${scope}.other-rule`),
    forwardChains: all(`${scope}.forward-chain`),
    error: first(`${scope}.rules-error`),
  };
}

function runnerSeen(lines: Lines): RunnerSeen | undefined {
  const { first, all } = lines;
  const isContainer = first("runner.container") === "yes";
  const name = first("runner.name") ?? first("server.runner-unit");
  const sandboxes = all("runner.sandbox");
  if (name === undefined && sandboxes.length === 0) return undefined;
  const network: NetworkSeen | undefined = isContainer
    ? networkSeen(lines, "runner")
    : undefined;
  return {
    name: name ?? "the server's own Docker",
    isContainer,
    domain: first("runner.domain"),
    docker: answer(first("runner.docker"), first("runner.docker-error")),
    network,
    rules: isContainer ? rulesSeen(lines, "runner") : undefined,
    networks: networksSeen(lines, "runner"),
    sandboxes,
    sandbox: sandboxSeen(lines),
  };
}

function sandboxSeen({ first }: Lines): RunnerSeen["sandbox"] {
  const id = first("sandbox.id");
  if (id === undefined) return undefined;
  const [container = "", state = "", joined = ""] = (
    first("sandbox.container") ?? ""
  ).split("|");
  const networks = joined.split(" ").filter((it) => it !== "");
  return {
    ...{ id, container, state },
    address: networks[0]?.split("=")[1] ?? "",
    networks: networks.map((it) => it.split("=")[0] ?? ""),
    daemon: answer(first("sandbox.daemon"), first("sandbox.daemon-error")),
  };
}
