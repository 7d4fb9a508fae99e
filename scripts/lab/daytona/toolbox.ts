/**
 * Stand-in of the daemon that Daytona puts into every sandbox: runs commands,
 * moves files, and passes requests on to the sandbox's own ports.
 */
import { createToolbox } from "./toolbox/server.ts";

createToolbox("v0.190.0").listen(2280);
