import { defineConfig } from "vitest/config";

/** Suites that wait more than they work, and none in another's way. */
const besideEachOther = [
  "test/e2e/endurance.test.ts",
  "test/e2e/aws/gateway.test.ts",
  "test/e2e/certificate/issue.test.ts",
  "test/e2e/certificate/lambda.test.ts",
  "test/e2e/trust.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["test/unit/**/*.test.ts"] },
      },
      {
        test: {
          name: "program",
          include: ["test/program/**/*.test.ts"],
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
          // One lab, so one suite at a time.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e-long",
          include: besideEachOther,
          globalSetup: ["test/e2e/setup.ts"],
          maxWorkers: besideEachOther.length,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
