import { defineConfig } from "vitest/config";
import { leaveAccounts } from "./scripts/test/no-accounts.ts";
import { parts } from "./scripts/test/parts.ts";
import { Progress } from "./scripts/test/progress.ts";
import { type Places, placesHere } from "./scripts/test/places.ts";
import { sequencer } from "./scripts/test/schedule.ts";
import { withoutCheckpoints } from "./scripts/test/without-checkpoints.ts";

leaveAccounts(process.env);
// What the README promises in seconds takes longer while other suites run.
process.env.DAYTONA_EDGE_PATIENCE ??= "20";
// The suites' processes read it as well.
process.env.DAYTONA_EDGE_PLACES ??= JSON.stringify(placesHere());
const places = JSON.parse(process.env.DAYTONA_EDGE_PLACES) as Places;

/** Only a test that fails waits so long, so there is no reason to be stingy. */
const patience = 900_000;

const native = { viteModuleRunner: false };
/** Without vi.mock(), whose loader parses each suite's file once more. */
const withoutMocks = { ...native, nodeLoader: false };

export default defineConfig({
  test: {
    experimental: native,
    // All suites wait in one queue; those that need a lab take one of their own.
    maxWorkers: places.all,
    sequence: { sequencer: sequencer(places) },
    reporters: ["default", new Progress(places)],
    testTimeout: patience,
    hookTimeout: patience,
    expect: { poll: { timeout: 120_000, interval: 500 } },
    tags: [
      ...Object.entries(parts).map(([name, { description }]) => ({
        name,
        description,
      })),
      {
        name: "surroundings",
        description: "needs the lab's internet and Daytona only, no stack",
      },
    ],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // A process for each would take longer than the tests.
          isolate: false,
          experimental: withoutMocks,
        },
      },
      {
        extends: true,
        test: {
          name: "program",
          include: ["test/program/**/*.test.ts"],
          globalSetup: ["test/program/setup.ts"],
          env: {
            PULUMI_ERROR_OUTPUT_STRING: "true",
            ...withoutCheckpoints,
          },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          setupFiles: ["test/e2e/own-lab.ts"],
          experimental: withoutMocks,
        },
      },
    ],
  },
});
