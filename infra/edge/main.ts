/** The program of daytona-edge-agent.service. */
import { runAgent } from "./agent.ts";

runAgent();
