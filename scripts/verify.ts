/** `npm run verify`: the request's two tests, and probes of ingress and egress. */
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { unenforcedLines } from "../infra/gateway/unenforced.ts";
import {
  type StackOptions,
  openDeployment,
  withStack,
} from "./deployments/open.ts";
import { main } from "./failure.ts";
import { LabError } from "./lab/command.ts";
import { step } from "./progress.ts";
import { labRoadOut, labSandboxes } from "./verify/lab-stack.ts";
import { type Sandboxes, ownProbes, roadOut } from "./verify/own-stack.ts";
import { type Probe, type ProbeResult, tryProbe } from "./verify/probe.ts";
import { bypassSuite } from "./verify/road-out.ts";

const command = withStack(
  new Command("npm run verify --"),
  "both of the lab's stacks",
)
  .description(
    `Tries ingress and egress from outside: the request's Test 1 and Test 2, hosts,
ports and tokens, and two rows for each host of egress.allow. Says what the rules
do not enforce. Exits with 1 when any probe fails.`,
  )
  .option(
    "--bypass [rows...]",
    `instead try, as root in the first sandbox, the known
ways around the list that a living gateway can take
(or these of them, by number). What is sent, should
it get through: hellos, GETs, a TRACE, a datagram and
DNS queries with an invented name, to example.org
(else example.com or .net), 8.8.8.8, 1.1.1.1,
dns.google, the cloud's metadata (only a status is
read), your edge, Daytona, your second sandbox; to
hosts of egress.allow, hellos, datagrams, other ports,
and GETs of the rules' own paths with a false Host,
path or upgrade. Nothing is changed anywhere; the
gateway's log must show each refusal`,
  )
  .option(
    "--sandbox <id>",
    "with --stack: a sandbox that anybody may reach, or\nwhoever has a token. It needs curl, dig, nc, openssl\nand python3; commands run in it by Daytona's toolbox,\nwith the key that stands in DAYTONA_API_KEY",
  )
  .option(
    "--port <number>",
    "with --stack: a port that answers HEAD there",
    portNumber,
    3000,
  )
  .option(
    "--other-sandbox <id>",
    "with --stack and --bypass: another one on its runner",
  )
  .option("--json", "print the results as JSON")
  .parse();

interface VerifyOptions extends StackOptions {
  readonly json?: true;
  /** Rows to try; `true` for all. */
  readonly bypass?: true | string[];
  readonly sandbox?: string;
  readonly port: number;
  readonly otherSandbox?: string;
}

await main(async () => {
  const options = command.opts<VerifyOptions>();
  const { json, bypass } = options;
  await using open = new AsyncDisposableStack();
  const ofLab = options.stack === undefined;
  const use = async (stack: string) =>
    open.use(await openDeployment(stack, options));
  const deployment = await use(options.stack ?? "local");
  const sandboxes = ofLab ? labSandboxes : namedSandboxes(options);
  const road = () =>
    ofLab ? labRoadOut(deployment) : roadOut(deployment, sandboxes);
  const probes = async () => [
    ...(await ownProbes(deployment, sandboxes, road)),
    // It has signed access, and no egress.
    ...(ofLab ? await ownProbes(await use("signed"), sandboxes, road) : []),
  ];
  const rows = bypass === true ? [] : bypass;
  const results = rows
    ? await inTurn(await bypassSuite(await road(), rows))
    : await Promise.all((await probes()).map(tryProbe));
  const failed = results.filter((result) => !result.ok);
  const unenforced = unenforcedLines(
    deployment.config.egress?.egressRules ?? [],
  );
  if (json) {
    const ok = failed.length === 0;
    console.log(JSON.stringify({ ok, results, unenforced }, null, 2));
  } else {
    console.log(table(results));
    for (const { name, command, got } of failed) {
      console.log(`\n${name}\n  tried: ${command}\n  got:   ${got}`);
    }
    console.log(["", ...unenforced, ""].join("\n"));
    console.log(
      failed.length === 0
        ? `All ${String(results.length)} probes passed.`
        : `${String(failed.length)} of ${String(results.length)} probes failed. See what daytona-edge.service and daytona-gateway.service logged on their machines.`,
    );
  }
  if (failed.length > 0) process.exitCode = 1;
});

/** @throws LabError when an option is missing */
function namedSandboxes(options: VerifyOptions): Sandboxes {
  const { stack = "", sandbox, otherSandbox, port } = options;
  if (sandbox === undefined || (options.bypass && otherSandbox === undefined)) {
    throw new LabError(
      sandbox === undefined
        ? `--stack ${stack}: it cannot be tried without a sandbox of yours; name one by --sandbox, by its id`
        : `--stack ${stack}: --bypass tries the way to another sandbox, too; name one on the same runner by --other-sandbox`,
    );
  }
  return { sandbox, port, otherSandbox: otherSandbox ?? "" };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("It is a number from 1 to 65535.");
}

/** One after the other: the firewall logs so many refusals a second and no more. */
async function inTurn(probes: readonly Probe[]): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  await step("ways around the list", async (report) => {
    for (const probe of probes) {
      report(probe.name.trim());
      results.push(await tryProbe(probe));
    }
    report(`${String(results.length)} tried`);
  });
  return results;
}

function table(results: readonly ProbeResult[]): string {
  const rows = new Table({
    head: ["", "road", "what", "expected", "got", "ms"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "left", "left", "left", "right"],
    colWidths: [null, null, null, 34, 46, null],
    wordWrap: false,
  });
  for (const result of results) {
    rows.push([
      result.ok ? "✓" : "✗",
      result.road,
      result.name,
      result.expected,
      result.got,
      result.milliseconds,
    ]);
  }
  return rows.toString();
}
