/**
 * The contract that LumiLink reads from the stack. Names are API: add, never
 * rename; `contract` counts up when the meaning of a name changes.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { AccessKey } from "./access.ts";
import type { StackConfig } from "./config/parse.ts";
import { gatewayName } from "./gateway/address.ts";
import { sandboxEnv } from "./gateway/sandbox-env.ts";
import type { Platform } from "./platforms/platform.ts";

export interface StackOutputs {
  /** Version of this contract. */
  readonly contract: 1;
  /** Base name of all sandbox addresses. */
  readonly domain: string;
  /** Address of a port of a sandbox; fill in `{sandboxId}` and `{port}`. */
  readonly urlTemplate: string;
  readonly edge: {
    /** One of its addresses of each kind. */
    readonly ipv4: pulumi.Input<string>;
    readonly ipv6: pulumi.Input<string>;
    /** All of them. */
    readonly addresses: readonly pulumi.Input<string>[];
    /** Name of the load balancer, where there is one. */
    readonly name?: pulumi.Input<string>;
  };
  readonly access: {
    readonly mode: StackConfig["access"];
    /** Signs tokens for mode `signed`; secret. */
    readonly key?: pulumi.Input<AccessKey>;
  };
  /** Absent in a stack that has only the road in. */
  readonly egress?: {
    /** URL patterns that sandboxes may call; everything else is refused. */
    readonly rules: readonly string[];
    /** Address of the gateway as sandboxes see it, or its balancer's name. */
    readonly gateway: pulumi.Input<string>;
    /** Its name, where sandboxes ask the gateway for names. */
    readonly gatewayName: string;
    /** PEM of the authority that signs for inspected hosts. */
    readonly caCertificate: pulumi.Input<string>;
    /** Environment that makes common runtimes trust that authority. */
    readonly sandboxEnv: Readonly<Record<string, string>>;
  };
  /** Where the world sees sandboxes come from; there where it never changes. */
  readonly gateway?: {
    /** IPv4 addresses, for other people's allow lists. */
    readonly publicAddresses: readonly pulumi.Input<string>[];
  };
  readonly certificate: {
    readonly names: readonly string[];
    /** ACME directory that issues it. */
    readonly directory: string;
  };
  /** Ports that are refused on every sandbox. */
  readonly deniedPorts: readonly number[];
}

export interface OutputsArgs {
  readonly config: StackConfig;
  readonly accessKey: pulumi.Input<AccessKey> | undefined;
  readonly platform: Platform;
}

/** The outputs of a stack, from its configuration and its platform. */
export function stackOutputs(args: OutputsArgs): StackOutputs {
  const { config, accessKey } = args;
  const { edge, gateway } = args.platform;
  return {
    contract: 1,
    domain: config.domain,
    urlTemplate: `https://{sandboxId}-{port}.${config.domain}`,
    edge: {
      ipv4: edge.ipv4[0] ?? "",
      ipv6: edge.ipv6[0] ?? "",
      addresses: [...edge.ipv4, ...edge.ipv6],
      ...(edge.name === undefined ? {} : { name: edge.name }),
    },
    access: { mode: config.access, ...(accessKey ? { key: accessKey } : {}) },
    ...(config.egress && gateway
      ? {
          egress: {
            rules: config.egress.egressRules.map(({ options }) => options.url),
            gateway: gateway.address,
            gatewayName,
            caCertificate: gateway.caCertificate,
            sandboxEnv,
          },
        }
      : {}),
    ...(gateway?.publicAddresses
      ? { gateway: { publicAddresses: gateway.publicAddresses } }
      : {}),
    certificate: {
      names: [`*.${config.domain}`, config.domain],
      directory: config.certificate.directory,
    },
    deniedPorts: config.deniedPorts,
  };
}
