/** The program of daytona-gateway-runner.service. */
import { runRunnerWatch } from "./runner-watch.ts";

runRunnerWatch().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
