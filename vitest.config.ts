import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { labDirectories } from "./scripts/checkout.ts";

/** Five minutes of waiting: what runs beside it costs no time. */
const endurance = "test/e2e/endurance.test.ts";

/** Small files that run long; Vitest itself begins with the large ones. */
const longest = [
  endurance,
  "test/e2e/lifecycle.test.ts",
  "test/e2e/verify-egress.test.ts",
];

/** Suites that none is in another's way, nor in that of the program's. */
const besideEachOther = [
  endurance,
  "test/e2e/aws/gateway.test.ts",
  "test/e2e/certificate/issue.test.ts",
  "test/e2e/host/host.test.ts",
  "test/e2e/host/install.test.ts",
  "test/e2e/host/split.test.ts",
  "test/e2e/trust.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const sorted = await super.sort(files);
    const isLongest = (file: TestSpecification) =>
      longest.some((name) => file.moduleId.endsWith(name));
    return [
      ...sorted.filter(isLongest),
      ...sorted.filter((file) => !isLongest(file)),
    ];
  }
}

/** What runs beside the longest: two cores, and suites that wait a lot. */
const beside = { maxWorkers: 4, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { name: "unit", include: ["test/unit/**/*.test.ts"] },
      },
      {
        test: {
          name: "program",
          include: ["test/program/**/*.test.ts"],
          ...beside,
          globalSetup: ["test/program/setup.ts"],
          env: { PULUMI_ERROR_OUTPUT_STRING: "true" },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: besideEachOther,
          globalSetup: ["test/e2e/setup.ts"],
          // One suite at a time in each lab; they wait more than they work.
          setupFiles: ["test/e2e/own-lab.ts"],
          maxWorkers: labDirectories.length,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e-long",
          include: besideEachOther,
          globalSetup: ["test/e2e/setup.ts"],
          ...beside,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
