/**
 * daytona-edge: two roads for a self-hosted Daytona. In: every port of every
 * sandbox under one wildcard name. Out: an allow list, and nothing else.
 */
import { AccessKeys } from "./access.ts";
import { readConfig } from "./config/read.ts";
import { Dns } from "./dns.ts";
import { stackOutputs, type StackOutputs } from "./outputs.ts";
import { hostPlatform } from "./platforms/host/index.ts";

export default async function program(): Promise<StackOutputs> {
  const {
    config,
    cloudflareUrl,
    certificateCredentials,
    sshPrivateKey,
    egressCredentials,
  } = readConfig();

  const access =
    config.access === "signed"
      ? new AccessKeys("access", { generation: config.accessKeyGeneration })
      : undefined;

  const common = {
    config,
    cloudflareUrl,
    certificateCredentials,
    access: access?.document,
    egressCredentials,
  };
  // Loaded where it is used: its SDK takes other platforms half a second.
  const platform = config.aws
    ? await (
        await import("./platforms/aws/index.ts")
      ).awsPlatform("aws", { ...common, settings: config.aws })
    : await hostPlatform("host", {
        ...common,
        settings: config.host,
        privateKey: sshPrivateKey,
      });

  new Dns(
    "dns",
    { zoneId: config.zoneId, domain: config.domain, edge: platform.edge },
    // Of an existing server nothing of ours is to be left: see docs/host.md, "Undo".
    { protect: config.platform === "aws" },
  );

  return stackOutputs({
    config,
    edge: platform.edge,
    accessKey: access?.current,
    gateway: platform.gateway,
  });
}
