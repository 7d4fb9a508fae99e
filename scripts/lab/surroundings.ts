/**
 * What the stack meets but does not own: the internet and Daytona. Both are
 * stand-ins that run on machines of their own.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, fetch } from "undici";
import { readFileSync } from "node:fs";
import { labDirectory } from "../checkout.ts";
import { LabError } from "./command.ts";
import { daytonaMachine } from "./daytona/machine.ts";
import { ensureImage } from "./image.ts";
import { internetMachine } from "./internet/machine.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { bootMachine, createMachine, machineNames } from "./machine.ts";
import { bundleProgram } from "./programs.ts";
import { firstSandbox, secondSandbox } from "./sandboxes.ts";
import { ensureSecrets } from "./secrets.ts";
import { labDomain, labZone } from "./stack-file.ts";

/** Certificates that a client in the lab trusts: the web's and the ACME server's. */
export const trustFile = join(labDirectory, "ca.pem");
