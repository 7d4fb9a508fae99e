/**
 * The certificate on this computer: a machine of its own makes it and renews
 * it, in the directory that the edge reads. The account comes first, for CAA
 * names it, and CAA before the order.
 */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { certificateDirectory, checkout } from "../../../scripts/checkout.ts";
import { certificateMachines } from "../../../scripts/lab/machine-addresses.ts";
import { certificateRecords } from "../../certificate-records.ts";
import { certificateBundle } from "../../certificate/bundle.ts";
import {
  type CertificateCredentials,
  credentialsFile,
} from "../../certificate/credentials.ts";
import type { StackConfig } from "../../config/parse.ts";
import { LiveState } from "./live-state.ts";
import { Machine } from "./machine.ts";

export interface CertificateArgs {
  readonly config: StackConfig;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  /** What the program needs and may not show; secret. */
  readonly credentials: pulumi.Input<CertificateCredentials>;
}

export class Certificate extends pulumi.ComponentResource {
  /** Known once a certificate is in the store. */
  readonly issued: pulumi.Output<unknown>;

  constructor(
    name: string,
    args: CertificateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:Certificate", name, {}, opts);
    const { local } = args.config;
    const { name: labName } = certificateMachines[local.edge];
    const directory = certificateDirectory(local.edge);
    const credentials = new LiveState(
      `${name}-credentials`,
      {
        directory,
        document: "credentials.env",
        content: pulumi.output(args.credentials).apply(credentialsFile),
      },
      { parent: this },
    );
    const machine = new Machine(
      `${name}-machine`,
      {
        machine: labName,
        bundle: certificateBundle({ ...args.config, ...args }),
        directory,
        directoryOnMachine: "/var/lib/daytona-edge/certificate",
      },
      { parent: this },
    );
    const run = {
      dir: checkout,
      environment: { NODE: process.execPath, MACHINE: labName },
      triggers: [machine.bootId, credentials.written],
    };
    const program =
      '"$NODE" scripts/lab/main.ts shell "$MACHINE" -- /usr/local/lib/daytona-edge/run-certificate.sh';
    const account = new command.local.Command(
      `${name}-account`,
      { ...run, create: `${program} account` },
      { parent: this },
    );
    const records = certificateRecords(
      name,
      { config: args.config, account: account.stdout },
      { parent: this },
    );
    const issue = new command.local.Command(
      `${name}-issue`,
      { ...run, create: `${program} issue` },
      { parent: this, dependsOn: records },
    );
    this.issued = issue.stdout;
    this.registerOutputs({});
  }
}
