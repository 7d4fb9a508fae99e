/** The lab: both of its stacks, with the demo application in every sandbox. */
import { execa } from "execa";
import {
  type AccessKey,
  type StackOutputs,
  readOutputs,
} from "../../client/index.ts";
import { limitsSchema, rateWindow } from "../../infra/edge/limits.ts";
import { connectBySsh } from "../../infra/platforms/host/ssh.ts";
import { ServerStore } from "../deployments/server-store.ts";
import { run } from "../lab/command.ts";
import { daytona } from "../lab/daytona-server.ts";
import { edgeAddresses } from "../lab/machine-addresses.ts";
import { inMachine } from "../lab/machine.ts";
import { firstSandbox, secondSandbox, strayName } from "../lab/sandboxes.ts";
import { labSecrets } from "../lab/secrets.ts";
import { labStack } from "../own-stack.ts";
import { restore, revoke } from "../sandbox/revoke.ts";
import { stackRules } from "../stack-rules.ts";
import { stackConfig, stackDirectory } from "../stack.ts";
import { openStack } from "../toolchain/stack.ts";
import { containmentProbes } from "./containment.ts";
import type { Deployment } from "./deployment.ts";
import { egressProbes } from "./egress.ts";
import { demoProbes, ingressProbes } from "./ingress.ts";
import { limitsProbes } from "./limits.ts";
import { observabilityProbes } from "./observability.ts";
import type { Probe } from "./probe.ts";
import { revocationProbes } from "./revocation.ts";
import { type RoadOut, egressTarget } from "./road-out.ts";
import { signedProbes } from "./signed.ts";

export function labDeployment(): Deployment {
  const connections = new AsyncDisposableStack();
  return {
    rules: stackRules(),
    logs: "npm run lab -- logs edge, npm run lab -- logs daytona",
    probes: () => everyProbe(connections),
    roadOut: () => Promise.resolve(roadOut()),
    [Symbol.asyncDispose]: () => connections.disposeAsync(),
  };
}

function roadOut(): RoadOut {
  const { rootServers = [] } = stackConfig<{ rootServers?: string[] }>(
    "gateway",
  );
  const upstream = new URL(stackConfig<{ url: string }>("upstream").url);
  return {
    rules: stackRules(),
    secrets: [labSecrets().openRouterKey],
    sandbox: firstSandbox,
    otherSandbox: secondSandbox,
    execute: (id, line) => daytona().execute(id, line),
    onGateway: (script) => run(inMachine("daytona", ["sh", "-ec", script])),
    places: [
      upstream.host,
      ...["22", "3000"].map((port) => `${upstream.hostname}:${port}`),
    ],
    nameServers: [upstream.hostname, ...rootServers],
    edge: {
      ipv4: edgeAddresses.edge.ipv4,
      host: `${firstSandbox}-3000.${stackConfig<string>("domain")}`,
    },
  };
}

async function everyProbe(connections: AsyncDisposableStack): Promise<Probe[]> {
  const outputs = await signedOutputs();
  const { key } = outputs.access;
  if (!key) throw new Error("The stack has no key to sign tokens with");
  const signed = { outputs, key, sandbox: firstSandbox };
  const { host, privateKey } = labStack("signed");
  const store = new ServerStore(
    host,
    connections.use(await connectBySsh(host, privateKey)),
  );
  const limits = limitsSchema.parse(stackConfig("limits", "signed"));
  return [
    ...ingressProbes({
      domain: stackConfig<string>("domain"),
      sandbox: firstSandbox,
      port: 3000,
    }),
    ...demoProbes({
      domain: stackConfig<string>("domain"),
      publicSandbox: firstSandbox,
      privateSandbox: secondSandbox,
      previewToken: labSecrets().previewToken,
      stopped: stoppedSandbox,
    }),
    ...signedProbes({
      ...signed,
      nextKey: await nextKey(store),
      otherSandbox: secondSandbox,
    }),
    ...revocationProbes({
      ...signed,
      sandbox: secondSandbox,
      // Other probes ask it on the other port meanwhile.
      port: 8080,
      otherPort: 3000,
      neighbour: firstSandbox,
      revoke: async (sandbox, port) => {
        await revoke(store, sandbox, port, Date.now());
      },
      restore: async (sandbox, port) => {
        await restore(store, sandbox, port);
      },
    }),
    ...limitsProbes({
      ...signed,
      requests: limits.sandbox.requestsPerSecond * rateWindow,
      headSeconds: limits.headSeconds,
    }),
    ...containmentProbes({
      ...signed,
      otherSandbox: secondSandbox,
      stray: strayName.id,
      halfClosedSeconds: limits.halfClosedSeconds,
    }),
    ...observabilityProbes({
      ...signed,
      health: `${edgeAddresses["edge-signed"].ipv4}:8404`,
      log: () => journal("edge-signed"),
    }),
    ...egressProbes(await egressTarget(roadOut())),
  ];
}

/** What LumiLink would read, with the key that signs. */
async function signedOutputs(): Promise<StackOutputs> {
  await using stack = await openStack({
    stackName: "signed",
    workDir: stackDirectory,
    program: () => Promise.resolve({}),
  });
  return readOutputs(await stack.outputs({ showSecrets: true }));
}

/** The key that will sign after the next rotation, which every edge knows. */
async function nextKey(store: ServerStore): Promise<AccessKey> {
  const content = await store.read("access.json");
  const { keys } = JSON.parse(content ?? "{}") as { keys?: AccessKey[] };
  const next = keys?.at(-1);
  if (!next) throw new Error("access.json in the store holds no keys");
  return next;
}

async function stoppedSandbox() {
  const { id } = await daytona().add({ public: true });
  await daytona().stop(id);
  return { id, remove: () => daytona().remove(id) };
}

async function journal(machine: string): Promise<string> {
  const [file, ...args] = inMachine(machine, [
    ..."journalctl --no-pager -o cat -t daytona-edge-log -n 500".split(" "),
  ]);
  return (await execa(file, args)).stdout;
}
