/**
 * Suites that change a lab have it to themselves: each of the workers that run
 * them at the same time has one of its own, the first the checkout's. Vitest
 * runs this before each suite's file and numbers the workers from 1.
 */
import { execa } from "execa";
import { join } from "node:path";

process.env.DAYTONA_EDGE_LAB_NUMBER = process.env.VITEST_POOL_ID;

// What says where the lab is reads the number once, so it comes after.
const { checkout } = await import("../../scripts/checkout.ts");
const { livingLab } = await import("../../scripts/lab/namespaces.ts");

if (livingLab() === undefined) {
  // The first lab has been verified; while suites run in it, the promises that
  // have a time would be tried at a bad one.
  const start = join(checkout, "scripts/start.ts");
  await execa(process.execPath, [start, "--no-verify"], { stdio: "inherit" });
}
