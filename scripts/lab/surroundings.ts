/**
 * What the stack meets but does not own: the internet and Daytona, stand-ins on
 * machines of their own, and bare servers.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { snapshots, trustFile } from "../checkout.ts";
import { LabError } from "./command.ts";
import { daytonaMachine } from "./daytona/machine.ts";
import type { Image } from "./image.ts";
import { internetMachine } from "./internet/machine.ts";
import { edgeMachine } from "./edge/machine.ts";
import { daytonaMachines, type edgeAddresses } from "./machine-addresses.ts";
import type { LoginKeys } from "./login.ts";
import type { MachineSpec, Release } from "./machine-spec.ts";
import {
  bootMachine,
  consoleLog,
  createMachine,
  machineNames,
} from "./machine.ts";
import { controlGroup, hasControllerTrees } from "./namespaces.ts";
import { bundleProgram } from "./programs.ts";
import { firstSandbox, secondSandbox } from "./sandboxes.ts";
import type { LabSecrets } from "./secrets.ts";

/** Exit code of a deployment that needs a new lab (EX_TEMPFAIL of sysexits.h). */
export const worldIsGone = 75;

/** How long a stand-in may take to answer after its machine is up, in ms. */
const answerLimit = 120_000;

export interface SurroundingsArgs {
  readonly image: Image;
  readonly secrets: LabSecrets;
  /** The stack's domain and the Cloudflare zone that holds it. */
  readonly domain: string;
  readonly zoneId: string;
}

/** Boots the internet, Daytona and servers, or what is down, and waits for them. */
export async function ensureSurroundings(
  args: SurroundingsArgs & {
    readonly edges: readonly (keyof typeof edgeAddresses)[];
  },
): Promise<void> {
  await Promise.all([
    ensureInternet(args),
    ensureDaytona(args),
    ...args.edges.map((name) => ensureEdge(name, args.secrets)),
  ]);
}

async function ensureInternet(args: SurroundingsArgs): Promise<void> {
  const { image, secrets, zoneId } = args;
  await ensureMachine("internet", async () =>
    internetMachine({
      program: await bundleProgram("internet/main.ts"),
      webCa: image.webCa,
      cloudflareToken: secrets.cloudflareToken,
      zoneId,
    }),
  );
  const roots = await answerOf(
    "internet",
    "https://acme.internal:15000/roots/0",
  );
  await writeFile(trustFile, `${image.webCa.certificate}${roots}`);
}

/** Boots one of Daytona's stand-ins, unless it runs, and waits for it. */
export async function ensureDaytona(
  args: Omit<SurroundingsArgs, "zoneId">,
  name: keyof typeof daytonaMachines = "daytona",
  release?: Release,
): Promise<void> {
  const { image, secrets, domain } = args;
  const addresses = daytonaMachines[name];
  await mkdir(snapshots, { recursive: true });
  await ensureMachine(name, async () =>
    daytonaMachine({
      ...addresses,
      name,
      release,
      isCompose: name === "server-compose",
      programs: {
        server: await bundleProgram("daytona/server.ts"),
        toolbox: await bundleProgram("daytona/toolbox.ts"),
        app: await bundleProgram("daytona/app.ts"),
      },
      apiKey: secrets.daytonaApiKey,
      proxyApiKey: secrets.daytonaProxyApiKey,
      domain,
      webCaPem: image.webCa.certificate,
      login: loginKeys(secrets),
      containers: image.containers,
      ...(hasControllerTrees
        ? { containerGroup: `/${controlGroup}/${name}` }
        : {}),
      snapshots,
      sandboxes: [
        { id: firstSandbox, public: true },
        {
          id: secondSandbox,
          public: false,
          ports: [3000, 8080],
          previewToken: secrets.previewToken,
        },
      ],
    }),
  );
  await answerOf(name, `http://${addresses.ipv4}:3000/api/health`);
}

/** Boots a server without anything of ours, unless it runs. */
async function ensureEdge(
  name: keyof typeof edgeAddresses,
  secrets: LabSecrets,
): Promise<void> {
  await ensureMachine(name, () =>
    Promise.resolve(edgeMachine(name, loginKeys(secrets))),
  );
}

/** All servers of the lab have one operator, and one key of their own. */
export function loginKeys({ operator, host }: LabSecrets): LoginKeys {
  return { operator: operator.public, host };
}

/** A machine that has a disk keeps it, as after a power cut. */
async function ensureMachine(
  name: string,
  spec: () => Promise<MachineSpec>,
): Promise<void> {
  if (!machineNames().includes(name)) await createMachine(await spec());
  await bootMachine(name);
}

async function answerOf(machine: string, url: string): Promise<string> {
  let last: unknown;
  for (const deadline = Date.now() + answerLimit; Date.now() < deadline;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      if (response.ok) return await response.text();
      last = `status ${String(response.status)}`;
    } catch (error) {
      last = error instanceof Error ? (error.cause ?? error) : error;
    }
    await sleep(100);
  }
  throw new LabError(
    `Machine "${machine}" is up, but ${url} does not answer (${String(last)}).\n  console: ${consoleLog(machine)}\n  journal: npm run lab -- logs ${machine}`,
  );
}
