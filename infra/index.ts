/**
 * daytona-edge: two roads for a self-hosted Daytona. In: every port of every
 * sandbox under one wildcard name. Out: an allow list, and nothing else.
 */
import { readConfig } from "./config.ts";
import { Dns } from "./dns.ts";
import { edgeBundle } from "./edge/bundle.ts";
import { gatewayBundle } from "./gateway/bundle.ts";
import { stackOutputs, type StackOutputs } from "./outputs.ts";
import { LocalPlatform } from "./platforms/local/index.ts";

export default function program(): StackOutputs {
  const { config, cloudflareUrl, sshPrivateKey } = readConfig();

  const platform = new LocalPlatform("local", {
    config,
    cloudflareUrl,
    sshPrivateKey,
    edge: edgeBundle(config),
    gateway: gatewayBundle(config),
  });

  new Dns("dns", {
    zoneId: config.zoneId,
    domain: config.domain,
    edge: platform.edge,
    caaIdentity: config.certificate.caaIdentity,
  });

  return stackOutputs({
    config,
    edge: platform.edge,
    gateway: platform.gateway,
  });
}
