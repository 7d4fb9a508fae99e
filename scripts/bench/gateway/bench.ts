/** `npm run bench -- gateway`: the roads out beside a direct connection. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gatewayBundle } from "../../../infra/gateway/bundle.ts";
import { egressLimitsSchema } from "../../../infra/gateway/limits.ts";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { checkout } from "../../checkout.ts";
import { runBench } from "../container.ts";
import type { GatewayResults } from "./results.ts";
import { rules } from "./roads.ts";
import { table } from "./table.ts";

export async function benchGateway(options: {
  readonly quick?: true;
  readonly json?: true;
  readonly save?: true;
}): Promise<void> {
  const most = 1_000_000;
  const results = await runBench<GatewayResults>({
    folder: "gateway",
    bundle: gatewayBundle({
      egressRules: parseEgressRules(rules).rules,
      // On, and out of the way: one sandbox makes all the load.
      limits: egressLimitsSchema.parse({
        connectionsPerSecond: 100_000,
        connections: most,
        requestsPerSecond: most,
        concurrentRequests: most,
      }),
      sandboxes: { interfaces: ["lo"], networks: ["172.20.0.0/16"] },
      rootServers: [],
    }),
    programs: ["events", "first-event", "sandboxes"],
    quick: options.quick ?? false,
  });
  const json = JSON.stringify(results, undefined, 2);
  if (options.save) {
    writeFileSync(join(checkout, "test/bench/gateway.json"), `${json}\n`);
  }
  console.log(options.json ? json : table(results));
}
