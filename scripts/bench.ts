/** `npm run bench`: what the two roads cost. Prints figures and judges none. */
import { Command } from "commander";
import { benchEdge } from "./bench/edge/bench.ts";
import { benchGateway } from "./bench/gateway/bench.ts";
import { main } from "./failure.ts";

const program = new Command("npm run bench --")
  .description(
    "Measures with every control on, pinned to one core, in a container without a network. Prints figures and judges none.",
  )
  .showHelpAfterError();

program
  .command("edge", { isDefault: true })
  .description(
    "the edge beside a bare HAProxy with the same TLS and upstream, the request's nginx example and Caddy; what is measured when nothing is named",
  )
  .option("--quick", "short runs, for a first look")
  .option("--json", "print the results as JSON")
  .option(
    "--save",
    "write test/bench/results.json and test/bench/chart.svg, which the README shows",
  )
  .action(benchEdge);

program
  .command("gateway")
  .description(
    "the gateway's roads out (splice, inspect, inspect with a credential) beside a direct connection; with few rules, with many, and with many sandboxes",
  )
  .option("--quick", "short runs, for a first look")
  .option("--json", "print the results as JSON")
  .option("--save", "write test/bench/gateway.json, which the README shows")
  .action(benchGateway);

await main(async () => {
  await program.parseAsync();
});
