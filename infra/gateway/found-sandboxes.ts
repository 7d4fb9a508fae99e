/** What the gateway's agent has found of sandboxes, for operators. */
import * as z from "zod";
import { run } from "../machine/places.ts";
import type { DockerState } from "./docker.ts";
import { type Ports, sandboxesAmong } from "./ports.ts";

/** Made anew at each start of the server. */
export const foundFile = `${run("gateway")}/sandboxes.json`;

export const foundSandboxes = z.object({
  /** The container that Daytona's runner is in; absent where it is in none. */
  runner: z.string().optional(),
  /** Those that are walled. */
  networks: z.array(
    z.object({
      /** Docker's; absent of an interface that Docker does not tell of. */
      name: z.string().optional(),
      interface: z.string(),
      /** IPv4, as CIDR. */
      subnets: z.array(z.string()),
      /** How many stand there. */
      sandboxes: z.int(),
    }),
  ),
});

export type FoundSandboxes = z.infer<typeof foundSandboxes>;

export function foundAmong(
  state: DockerState,
  { walled }: Pick<Ports, "walled">,
  runner?: string,
): FoundSandboxes {
  const sandboxes = [...sandboxesAmong(state)];
  return {
    ...(runner !== undefined && { runner }),
    networks: walled.map((it) => {
      const network = state.networks.find(({ bridge }) => bridge === it);
      return {
        ...(network && { name: network.name }),
        interface: it,
        subnets: [...(network?.subnets ?? [])],
        sandboxes: sandboxes.filter(({ endpoints }) =>
          endpoints.some(({ bridge }) => bridge === it),
        ).length,
      };
    }),
  };
}
