/** `npm run verify`: the request's two tests, and probes of every promise. */
import Table from "cli-table3";
import { Command } from "commander";
import { execa } from "execa";
import {
  type AccessKey,
  type StackOutputs,
  readOutputs,
} from "../client/index.ts";
import { DirectoryStore } from "../infra/certificate/directory-store.ts";
import { limitsSchema, rateWindow } from "../infra/edge/limits.ts";
import { unenforcedLines } from "../infra/gateway/unenforced.ts";
import { storeDirectory } from "./checkout.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { daytona } from "./lab/daytona-server.ts";
import { edgeAddresses } from "./lab/machine-addresses.ts";
import { inMachine } from "./lab/machine.ts";
import { firstSandbox, secondSandbox, strayName } from "./lab/sandboxes.ts";
import { labSecrets } from "./lab/secrets.ts";
import { step } from "./progress.ts";
import { restore, revoke } from "./sandbox/revoke.ts";
import { stackConfig, stackDirectory } from "./stack.ts";
import { openStack } from "./toolchain/stack.ts";
import { containmentProbes } from "./verify/containment.ts";
import { egressProbes } from "./verify/egress.ts";
import { ingressProbes } from "./verify/ingress.ts";
import { limitsProbes } from "./verify/limits.ts";
import { observabilityProbes } from "./verify/observability.ts";
import { type Probe, type ProbeResult, tryProbe } from "./verify/probe.ts";
import { revocationProbes } from "./verify/revocation.ts";
import { bypassSuite, egressTarget, stackRules } from "./verify/road-out.ts";
import { signedProbes } from "./verify/signed.ts";

const command = new Command("npm run verify --")
  .description(
    `Tries both roads from outside: the request's Test 1 and Test 2, and a probe of
every other promise; two rows for each host of egress.allow. Says what the rules
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
  .option("--json", "print the results as JSON")
  .parse();

interface VerifyOptions {
  readonly json?: true;
  /** Rows to try; `true` for all. */
  readonly bypass?: true | string[];
}

await main(async () => {
  ensureInside();
  const { json, bypass } = command.opts<VerifyOptions>();
  const results = bypass
    ? await inTurn(await bypassSuite(bypass === true ? [] : bypass))
    : await Promise.all((await everyProbe()).map(tryProbe));
  const failed = results.filter((result) => !result.ok);
  const unenforced = unenforcedLines(stackRules());
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
        : `${String(failed.length)} of ${String(results.length)} probes failed. Look into the logs: npm run lab -- logs edge, npm run lab -- logs daytona`,
    );
  }
  if (failed.length > 0) process.exitCode = 1;
});

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

async function everyProbe(): Promise<Probe[]> {
  const outputs = await signedOutputs();
  const { key } = outputs.access;
  if (!key) throw new Error("The stack has no key to sign tokens with");
  const signed = { outputs, key, sandbox: firstSandbox };
  const store = new DirectoryStore(storeDirectory("edge-signed"));
  const limits = limitsSchema.parse(stackConfig("limits", "signed"));
  return [
    ...ingressProbes({
      domain: stackConfig<string>("domain"),
      publicSandbox: firstSandbox,
      privateSandbox: secondSandbox,
      previewToken: labSecrets().previewToken,
      stopped: stoppedSandbox,
    }),
    ...signedProbes({
      ...signed,
      nextKey: await nextKey(store),
      otherSandbox: secondSandbox,
    }),
    ...revocationProbes({
      ...signed,
      sandbox: secondSandbox,
      // Other probes ask it on the other port meanwhile.
      port: 8080,
      otherPort: 3000,
      neighbour: firstSandbox,
      revoke: async (sandbox, port) => {
        await revoke(store, sandbox, port, Date.now());
      },
      restore: async (sandbox, port) => {
        await restore(store, sandbox, port);
      },
    }),
    ...limitsProbes({
      ...signed,
      requests: limits.sandbox.requestsPerSecond * rateWindow,
      headSeconds: limits.headSeconds,
    }),
    ...containmentProbes({
      ...signed,
      otherSandbox: secondSandbox,
      stray: strayName.id,
      halfClosedSeconds: limits.halfClosedSeconds,
    }),
    ...observabilityProbes({
      ...signed,
      health: `${edgeAddresses["edge-signed"].ipv4}:8404`,
      log: () => journal("edge-signed"),
    }),
    ...egressProbes(await egressTarget()),
  ];
}

/** What LumiLink would read, with the key that signs. */
async function signedOutputs(): Promise<StackOutputs> {
  await using stack = await openStack({
    stackName: "signed",
    workDir: stackDirectory,
    program: () => Promise.resolve({}),
  });
  return readOutputs(await stack.outputs({ showSecrets: true }));
}

/** The key that will sign after the next rotation, which every edge knows. */
async function nextKey(store: DirectoryStore): Promise<AccessKey> {
  const content = await store.read("access.json");
  const { keys } = JSON.parse(content ?? "{}") as { keys?: AccessKey[] };
  const next = keys?.at(-1);
  if (!next) throw new Error("access.json in the store holds no keys");
  return next;
}

async function stoppedSandbox() {
  const { id } = await daytona().add({ public: true });
  await daytona().stop(id);
  return { id, remove: () => daytona().remove(id) };
}

async function journal(machine: string): Promise<string> {
  const [file, ...args] = inMachine(machine, [
    ..."journalctl --no-pager -o cat -t daytona-edge-log -n 500".split(" "),
  ]);
  return (await execa(file, args)).stdout;
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
