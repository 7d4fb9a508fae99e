/** The program of daytona-gateway-agent.service. */
import { runAgent } from "./agent.ts";

runAgent();
