/**
 * The lab's stacks, until they are of the platform host: this file goes then.
 * Works inside the lab only.
 */
import { DirectoryStore } from "../../infra/certificate/directory-store.ts";
import { storeDirectory } from "../checkout.ts";
import { run } from "../lab/command.ts";
import { daytona } from "../lab/daytona-server.ts";
import { edgeAddresses } from "../lab/machine-addresses.ts";
import { inMachine } from "../lab/machine.ts";
import { labSecrets } from "../lab/secrets.ts";
import { type StackName, labStackFile, stackDirectory } from "../stack.ts";
import { openStack } from "../toolchain/stack.ts";
import type { Deployment, Machine } from "./deployment.ts";
import { journalEntries } from "./journal.ts";
import { checkedStore } from "./live-state.ts";
import { parseStackFile } from "./stack-file.ts";

export function labDeployment(name: StackName): Deployment {
  const config = parseStackFile(labStackFile(name, labSecrets()), name);
  const machineOf = (name: string) => ({
    name,
    run: (script: string) => run(inMachine(name, ["sh", "-ec", script])),
  });
  const { ipv4, ipv6 } = edgeAddresses[config.local.edge];
  const edge: Machine = {
    ...machineOf(config.local.edge),
    addresses: { ipv4: [ipv4], ipv6: [ipv6] },
    status: async () => {
      const response = await fetch(`http://${ipv4}:8404/status`, {
        signal: AbortSignal.timeout(5_000),
      });
      if (response.ok) return response.text();
      throw new Error(
        `its agent does not answer (HTTP ${String(response.status)})`,
      );
    },
  };
  const gateways = config.egress?.gateway
    ? [
        {
          ...machineOf("daytona"),
          addresses: { ipv4: ["198.18.0.3"], ipv6: [] },
        },
      ]
    : [];
  return {
    ...{ name, config, edges: [edge], gateways },
    store: checkedStore(new DirectoryStore(storeDirectory(edge.name))),
    outputs: async (options) => {
      await using stack = await openStack({
        stackName: name,
        workDir: stackDirectory,
        program: () => Promise.resolve({}),
      });
      return await stack.outputs(options);
    },
    logs: async ({ of, since, units }) => {
      const journals = (of === "edges" ? [edge] : gateways).map((machine) =>
        run(
          inMachine(machine.name, [
            "sh",
            "-c",
            `journalctl --sync; journalctl --quiet --no-pager --all --output=json --since=@${String(Math.floor(since.getTime() / 1000))} ${units.map((unit) => `--unit=${unit}`).join(" ")}`,
          ]),
        ),
      );
      return (await Promise.all(journals)).flatMap(journalEntries);
    },
    execInSandbox: (sandbox, line) => daytona().execute(sandbox, line),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
