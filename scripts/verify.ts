/** `npm run verify`: the request's two tests, and probes of every promise. */
import Table from "cli-table3";
import { Command } from "commander";
import { type StackOutputs, readOutputs } from "../client/index.ts";
import { main } from "./failure.ts";
import { ensureInside } from "./inside.ts";
import { daytona } from "./lab/daytona-server.ts";
import { firstSandbox, secondSandbox } from "./lab/sandboxes.ts";
import { labSecrets } from "./lab/secrets.ts";
import { stackConfig, stackDirectory } from "./stack.ts";
import { openStack } from "./toolchain/stack.ts";
import { egressProbes } from "./verify/egress.ts";
import { ingressProbes } from "./verify/ingress.ts";
import { type ProbeResult, tryProbe } from "./verify/probe.ts";
import { signedProbes } from "./verify/signed.ts";

const command = new Command("npm run verify --")
  .description(
    `Tries both roads from outside: the request's Test 1 and Test 2, and a probe of
every other promise. Exits with 1 when any probe fails.`,
  )
  .option("--json", "print the results as JSON")
  .parse();

await main(async () => {
  ensureInside();
  const probes = [
    ...ingressProbes({
      domain: stackConfig<string>("domain"),
      publicSandbox: firstSandbox,
      privateSandbox: secondSandbox,
      previewToken: labSecrets().previewToken,
    }),
    ...signedProbes({
      outputs: await signedOutputs(),
      health: "198.18.0.5:8404",
      sandbox: firstSandbox,
      otherSandbox: secondSandbox,
    }),
    ...egressProbes((line) => daytona().execute(firstSandbox, line)),
  ];
  const results = await Promise.all(probes.map(tryProbe));
  const failed = results.filter((result) => !result.ok);
  if (command.opts<{ json?: boolean }>().json) {
    console.log(JSON.stringify({ ok: failed.length === 0, results }, null, 2));
  } else {
    console.log(table(results));
    for (const { name, command, got } of failed) {
      console.log(`\n${name}\n  tried: ${command}\n  got:   ${got}`);
    }
    console.log(
      failed.length === 0
        ? `All ${String(results.length)} probes passed.`
        : `${String(failed.length)} of ${String(results.length)} probes failed. Look into the logs: npm run lab -- logs edge, npm run lab -- logs daytona`,
    );
  }
  if (failed.length > 0) process.exitCode = 1;
});

/** What LumiLink would read, with the key that signs. */
async function signedOutputs(): Promise<StackOutputs> {
  await using stack = await openStack({
    stackName: "signed",
    workDir: stackDirectory,
    program: () => Promise.resolve({}),
  });
  return readOutputs(await stack.outputs({ showSecrets: true }));
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
