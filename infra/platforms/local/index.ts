/**
 * The embedded default: a whole copy of the system on one Linux computer. The
 * machines are the lab's (scripts/lab); they boot the very user data that a
 * cloud would give them.
 */
import * as pulumi from "@pulumi/pulumi";
import { storeDirectory } from "../../../scripts/checkout.ts";
import type { EdgeAddress } from "../../dns.ts";
import { noRevocations } from "../../edge/revocations.ts";
import { edgeBundle } from "../../edge/bundle.ts";
import { gatewayBundle } from "../../gateway/bundle.ts";
import { Gateway } from "../host/gateway.ts";
import type { PlatformArgs } from "../platform.ts";
import { Certificate } from "./certificate.ts";
import { Edge } from "./edge.ts";
import { LiveState } from "./live-state.ts";

export interface LocalPlatformArgs extends PlatformArgs {
  /** Key that may log in to the gateway's server. */
  readonly privateKey: pulumi.Input<string> | undefined;
}

export class LocalPlatform extends pulumi.ComponentResource {
  readonly edge: EdgeAddress;
  readonly gateway: Pick<Gateway, "address" | "caCertificate"> | undefined;

  constructor(
    name: string,
    args: LocalPlatformArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Platform", name, {}, opts);
    const machine = args.config.local.edge;
    const directory = storeDirectory(machine);
    const certificate = new Certificate(
      `${name}-certificate`,
      {
        config: args.config,
        cloudflareUrl: args.cloudflareUrl,
        credentials: args.certificateCredentials,
      },
      { parent: this },
    );
    // "npm run sandbox" writes it from then on.
    const revocations = new LiveState(
      `${name}-revocations`,
      {
        directory,
        document: "revocations.json",
        content: noRevocations,
        onlyWhenMissing: true,
      },
      { parent: this },
    );
    const access =
      args.access &&
      new LiveState(
        `${name}-access`,
        { directory, document: "access.json", content: args.access },
        { parent: this },
      );
    const edge = new Edge(
      `${name}-edge`,
      {
        machine,
        bundle: edgeBundle(args.config),
        liveState: pulumi
          .all([
            certificate.issued,
            revocations.written,
            access ? access.written : "",
          ])
          .apply(() => "written"),
      },
      { parent: this },
    );
    const { egress } = args.config;
    this.gateway =
      egress?.gateway?.server &&
      new Gateway(
        `${name}-gateway`,
        {
          login: {
            server: egress.gateway.server,
            privateKey: args.privateKey,
          },
          bundle: gatewayBundle({ ...egress, ...egress.gateway }),
          credentials: args.egressCredentials,
        },
        { parent: this },
      );
    this.edge = { ipv4: [edge.address.ipv4], ipv6: [edge.address.ipv6] };
    this.registerOutputs({});
  }
}
