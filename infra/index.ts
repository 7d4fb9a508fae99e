/**
 * daytona-edge: two roads for a self-hosted Daytona. In: every port of every
 * sandbox under one wildcard name. Out: an allow list, and nothing else.
 */
import { AccessKeys } from "./access.ts";
import { readConfig } from "./config.ts";
import { Dns } from "./dns.ts";
import { edgeBundle } from "./edge/bundle.ts";
import { gatewayBundle } from "./gateway/bundle.ts";
import { stackOutputs, type StackOutputs } from "./outputs.ts";
import { AwsPlatform } from "./platforms/aws/index.ts";
import { LocalPlatform } from "./platforms/local/index.ts";

export default function program(): StackOutputs {
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
  };
  const platform = config.aws
    ? new AwsPlatform("aws", {
        ...common,
        settings: config.aws,
        egressCredentials,
      })
    : new LocalPlatform("local", {
        ...common,
        edge: edgeBundle(config),
        egress: config.egress?.gateway &&
          sshPrivateKey && {
            bundle: gatewayBundle({
              ...config.egress,
              ...config.egress.gateway,
            }),
            credentials: egressCredentials,
            server: config.egress.gateway.server,
            privateKey: sshPrivateKey,
          },
      });

  new Dns(
    "dns",
    { zoneId: config.zoneId, domain: config.domain, edge: platform.edge },
    // A lab's records go with it.
    { protect: config.platform !== "local" },
  );

  return stackOutputs({
    config,
    edge: platform.edge,
    accessKey: access?.current,
    gateway: platform.gateway,
  });
}
