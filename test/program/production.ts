/** Production (Pulumi.prod.yaml) under the real engine, with a stand-in for AWS that makes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import program from "../../infra/index.ts";
import { stackFile } from "../../scripts/stack.ts";
import {
  type EngineState,
  engineState,
} from "../../scripts/toolchain/engine-state.ts";
import {
  type Stack,
  type StackOptions,
  openStack,
} from "../../scripts/toolchain/stack.ts";
import { type CloudflareServer, startCloudflare } from "./cloudflare-server.ts";

export interface OpenOptions extends Pick<
  StackOptions,
  "policyPacks" | "onProgress" | "existing" | "env"
> {
  /** Runs before the program, in the engine's sight. */
  readonly before?: () => void;
}

export interface Production {
  readonly cloudflare: CloudflareServer;
  /** Holds the stack's files and its state. */
  readonly workDir: string;
  /** Changes the stack file: full keys, `undefined` for none. */
  configure(change: Record<string, unknown>): void;
  open(options?: OpenOptions): Promise<Stack>;
  state(): EngineState;
  readonly remove: () => void;
}

/** LumiLink's stack, with what only LumiLink knows made up. */
export async function production(): Promise<Production> {
  const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-aws-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  const cloudflare = await startCloudflare("defikit.net", workDir);
  const configure = (change: Record<string, unknown>) => {
    const config = {
      ...stackFile("prod").config,
      "daytona-edge:cloudflare": { zoneId: cloudflare.zoneId },
      "daytona-edge:upstream": {
        mode: "daytona",
        url: "http://10.81.0.10:4000",
      },
      ...change,
    };
    writeFileSync(join(workDir, "Pulumi.prod.yaml"), stringify({ config }));
  };
  configure({});
  return {
    cloudflare,
    workDir,
    configure,
    open: ({ before, ...options } = {}) =>
      openStack({
        stackName: "prod",
        workDir,
        providers: ["aws", "cloudflare", "random"],
        ...options,
        program: async () => {
          before?.();
          return { ...(await program()) };
        },
      }),
    state: () => engineState(workDir, "prod"),
    remove: () => {
      cloudflare.stop();
      rmSync(workDir, { recursive: true });
    },
  };
}
