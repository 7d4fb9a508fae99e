/** `npm run bench`: the edge beside a bare HAProxy, the request's nginx example and Caddy. */
import Table from "cli-table3";
import { Command } from "commander";
import { execa } from "execa";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { edgeBundle } from "../infra/edge/bundle.ts";
import { limitsSchema } from "../infra/edge/limits.ts";
import { chart, thousands } from "./bench/chart.ts";
import { ensureBenchImage } from "./bench/image.ts";
import type { Results } from "./bench/results.ts";
import { checkout } from "./checkout.ts";
import { main } from "./failure.ts";
import { installPackages, missingPackages } from "./host-tools.ts";
import { LabError } from "./lab/command.ts";
import { bundleProgram } from "./lab/programs.ts";
import { step } from "./progress.ts";
import { ensureRoot } from "./root.ts";

const command = new Command("npm run bench --")
  .description(
    `Measures the edge with every control on, pinned to one core, beside a bare HAProxy
with the same TLS and upstream, the request's nginx example and Caddy; in a
container without a network. Prints figures and judges none.`,
  )
  .option("--quick", "short runs, for a first look")
  .option("--json", "print the results as JSON")
  .option(
    "--save",
    "write test/bench/results.json and test/bench/chart.svg, which the README shows",
  )
  .parse();
const options = command.opts<{
  quick?: boolean;
  json?: boolean;
  save?: boolean;
}>();

await main(async () => {
  ensureRoot();
  await installPackages(missingPackages());
  const image = await step("Debian 13 with the contenders", ensureBenchImage);
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-bench-"));
  let results: Results;
  try {
    await layBench(directory);
    results = await step("measure", (report) =>
      measure(image, directory, report),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  if (options.save) {
    const place = join(checkout, "test/bench");
    mkdirSync(place, { recursive: true });
    writeFileSync(
      join(place, "results.json"),
      `${JSON.stringify(results, undefined, 2)}\n`,
    );
    writeFileSync(join(place, "chart.svg"), chart(results));
  }
  console.log(
    options.json ? JSON.stringify(results, undefined, 2) : table(results),
  );
});

/** What the container needs: the edge's own files, the others', the programs. */
async function layBench(directory: string): Promise<void> {
  const most = 1_000_000;
  const bundle = edgeBundle({
    domain: "sandbox.daytona.defikit.net",
    access: "signed",
    upstream: { mode: "daytona", url: "http://127.0.0.1:4000" },
    toolbox: false,
    deniedPorts: [2280, 5900, 5901, 6080, 22220, 22222, 33333],
    // On, and out of the way: one client makes all the load.
    limits: limitsSchema.parse({
      client: {
        handshakesPerSecond: 100_000,
        connections: most,
        requestsPerSecond: most,
        concurrentRequests: most,
        concurrentStreams: most,
      },
      sandbox: {
        requestsPerSecond: most,
        concurrentRequests: most,
        concurrentStreams: most,
      },
    }),
  });
  for (const { path, content, mode } of bundle.files) {
    const target = join(directory, "edge", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content, { mode });
  }
  cpSync(join(import.meta.dirname, "bench/files"), join(directory, "files"), {
    recursive: true,
  });
  for (const program of ["driver", "echo", "sockets", "hosts"]) {
    writeFileSync(
      join(directory, `${program}.cjs`),
      await bundleProgram(`../bench/${program}.ts`),
    );
  }
}

async function measure(
  image: string,
  directory: string,
  report: (text: string) => void,
): Promise<Results> {
  const container = execa(
    "unshare",
    [
      ...["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["systemd-nspawn", "--quiet", "--register=no", "--keep-unit"],
      ...["--volatile=overlay", "--private-network", "--pipe"],
      ...[`--directory=${image}`, `--bind-ro=${directory}:/bench`],
      ...(options.quick ? ["--setenv=BENCH_QUICK=1"] : []),
      ...["node", "/bench/driver.cjs"],
    ],
    { reject: false, buffer: { stdout: false } },
  );
  let results: Results | undefined;
  for await (const line of container.iterable()) {
    if (!line.startsWith("{")) continue;
    const said = JSON.parse(line) as { progress?: string; results?: Results };
    if (said.progress !== undefined) report(said.progress);
    results = said.results ?? results;
  }
  const { stderr } = await container;
  if (results === undefined) {
    throw new LabError(`The bench could not be measured.\n${stderr}`);
  }
  return results;
}

function table(results: Results): string {
  const { rate, latency, webSockets, memory, machine } = results;
  const rows = new Table({
    head: ["what", "edge", "bare HAProxy", "", "nginx", "Caddy"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right", "right"],
  });
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  rows.push(
    [
      "requests/s, HTTP/1.1",
      thousands(rate.http1.edge),
      thousands(rate.http1.bare),
      `× ${rate.http1.ratio.toFixed(2)}`,
      thousands(rate.nginx),
      thousands(rate.caddy),
    ],
    [
      "requests/s, HTTP/2",
      thousands(rate.http2.edge),
      thousands(rate.http2.bare),
      `× ${rate.http2.ratio.toFixed(2)}`,
      "",
      "",
    ],
    [
      "p99 at half load",
      ms(latency.edge),
      ms(latency.bare),
      `+ ${ms(latency.edge - latency.bare)}`,
      "",
      "",
    ],
    [
      `${thousands(webSockets.count)} idle WebSockets`,
      mebibytes(webSockets.bytes),
      "",
      `${(webSockets.bytes / webSockets.count / 1024).toFixed(0)} KiB each`,
      "",
      "",
    ],
    [
      "memory, before",
      mebibytes(memory.before),
      "",
      "",
      mebibytes(memory.nginx),
      mebibytes(memory.caddy),
    ],
    ["after many new hosts", mebibytes(memory.after), "", "", "", ""],
    ["after as many again", mebibytes(memory.afterMore), "", "", "", ""],
  );
  const { haproxy, nginx, caddy } = machine.versions;
  return `${rows.toString()}\nOne core of ${machine.processor}, Linux ${machine.kernel}; HAProxy ${haproxy ?? "?"}, nginx ${nginx ?? "?"}, Caddy ${caddy ?? "?"}`;
}
