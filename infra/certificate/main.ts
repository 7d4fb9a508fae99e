/** The program of daytona-certificate@.service. */
import { runProgram } from "./program.ts";

void runProgram();
