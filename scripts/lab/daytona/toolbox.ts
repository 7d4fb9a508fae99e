/**
 * Stand-in of the daemon that Daytona puts into every sandbox: runs commands,
 * moves files, and passes requests on to the sandbox's own ports.
 */
import { createToolbox } from "./toolbox/server.ts";

// A sandbox may have another daemon than its Daytona: each keeps that of its birth.
createToolbox(process.env.LAB_DAEMON_VERSION ?? "v0.190.0").listen(2280);
