/** The stack files of examples/, with values in the place of their placeholders. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { checkout } from "../../../scripts/checkout.ts";
import type { StackFile } from "../../../scripts/stack.ts";

export const examples = ["one-server", "proxy-vm", "proxy-vm-egress"] as const;
export type Example = (typeof examples)[number];

/** As it stands in the checkout. */
export function exampleFile(example: Example): StackFile {
  const file = join(checkout, "examples", `Pulumi.${example}.yaml`);
  return parse(readFileSync(file, "utf8")) as StackFile;
}

export interface ExampleValues {
  readonly domain: string;
  readonly cloudflare: unknown;
  /** The edge's first, then those that sandboxes run on; keys that differ. */
  readonly servers: readonly object[];
}

/** What a person makes of it, who replaces the placeholders and nothing else. */
export function filledExample(
  example: Example,
  { domain, cloudflare, servers: [edge, ...others] }: ExampleValues,
): StackFile {
  const { config } = exampleFile(example);
  const { runners, ...host } = config["daytona-edge:host"] as {
    runners?: object[];
  };
  return {
    config: {
      ...config,
      "daytona-edge:domain": domain,
      "daytona-edge:cloudflare": cloudflare,
      "daytona-edge:host": {
        ...{ ...host, ...edge },
        ...(runners && {
          runners: runners.map((runner, place) => ({
            ...runner,
            ...others[place],
          })),
        }),
      },
    },
  };
}
