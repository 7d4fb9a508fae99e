/** A second edge of either stack, with other settings, for as long as a suite needs one. */
import { parseConfig } from "../../infra/config/parse.ts";
import { type EdgeConfig, edgeBundle } from "../../infra/edge/bundle.ts";
import { edgeAddresses } from "../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { type StackName, labStackFile, ownKeys } from "../../scripts/stack.ts";
import { install } from "./host/install.ts";
import { lab, labCurl, script } from "./lab.ts";

const machine = "edge-spare";
export const spareEdge = edgeAddresses[machine];

/** The stacks' own edges. */
const edgeOf = { local: "edge", signed: "edge-signed" } as const;

/**
 * Boots it, with the stack's live state.
 * @param change keys of the stack's configuration that differ
 */
export async function bootSpareEdge(
  stack: StackName,
  change: Record<string, unknown>,
  more: Pick<EdgeConfig, "loadBalancers"> = {},
): Promise<void> {
  const { config, problems } = parseConfig({
    ...ownKeys(labStackFile(stack, labSecrets())),
    ...change,
  });
  if (!config) throw new Error(JSON.stringify(problems));
  const outcomes = [
    () => script("../test/e2e/spare-machine.ts", [edgeOf[stack]]),
    () => install(machine, edgeBundle({ ...config, ...more })),
    () =>
      labCurl([
        ..."--retry 240 --retry-delay 1 --retry-all-errors -f".split(" "),
        `http://${spareEdge.ipv4}:8404/healthz`,
      ]),
  ];
  for (const outcome of outcomes) {
    const { exitCode, stderr, stdout } = await outcome();
    if (exitCode !== 0) throw new Error(stderr + stdout);
  }
}

export async function removeSpareEdge(): Promise<void> {
  await lab(["machine", "remove", machine]);
}
