/**
 * The embedded default: a whole copy of the system on one Linux computer. The
 * machines are the lab's (scripts/lab); they boot the very user data that a
 * cloud would give them.
 */
import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../../config.ts";
import type { Bundle } from "../../machine/bundle.ts";
import { Gateway } from "../host/gateway.ts";
import { Certificate } from "./certificate.ts";
import { Edge } from "./edge.ts";

export interface LocalPlatformArgs {
  readonly config: StackConfig;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  /** Key that may log in to the gateway's server. */
  readonly sshPrivateKey: pulumi.Input<string>;
  readonly edge: Bundle;
  readonly gateway: Bundle;
}

export class LocalPlatform extends pulumi.ComponentResource {
  readonly edge: Edge["address"];
  readonly gateway: Pick<Gateway, "address" | "caCertificate">;

  constructor(
    name: string,
    args: LocalPlatformArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Platform", name, {}, opts);
    const certificate = new Certificate(
      `${name}-certificate`,
      {
        domain: args.config.domain,
        zoneId: args.config.zoneId,
        cloudflareUrl: args.cloudflareUrl,
        ...args.config.certificate,
      },
      { parent: this },
    );
    const edge = new Edge(
      `${name}-edge`,
      { bundle: args.edge, certificate: certificate.issued },
      { parent: this },
    );
    const gateway = new Gateway(
      `${name}-gateway`,
      {
        bundle: args.gateway,
        server: args.config.gateway.server,
        privateKey: args.sshPrivateKey,
      },
      { parent: this },
    );
    this.edge = edge.address;
    this.gateway = gateway;
    this.registerOutputs({});
  }
}
