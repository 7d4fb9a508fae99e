/**
 * Suites that change a lab have it to themselves: each of the workers that run
 * them at the same time has one of its own, the first the checkout's. Vitest
 * runs this before each suite's file and numbers the workers from 1.
 */
process.env.DAYTONA_EDGE_LAB_NUMBER = process.env.VITEST_POOL_ID;

// What says where the lab is reads the number once, so none of it is imported
// before.
const { livingLab } = await import("../../scripts/lab/namespaces.ts");
const { startLab } = await import("./setup.ts");

if (livingLab() === undefined) await startLab();
