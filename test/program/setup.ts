import { ensurePulumi } from "../../scripts/toolchain/pulumi.ts";

/** The suites drive the real engine. */
export default async function setup(): Promise<void> {
  await ensurePulumi((detail) => {
    console.log(`Pulumi CLI: ${detail}`);
  });
}
