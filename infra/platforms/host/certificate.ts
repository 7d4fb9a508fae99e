/**
 * The certificate on a server: a timer makes it and renews it there. The
 * account comes first, for CAA names it, and CAA before the order.
 */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { certificateRecords } from "../../certificate-records.ts";
import { certificateBundle } from "../../certificate/bundle.ts";
import {
  type CertificateCredentials,
  credentialsFile,
} from "../../certificate/credentials.ts";
import type { StackConfig } from "../../config/parse.ts";
import { InstalledBundle } from "./installed-bundle.ts";
import { LiveState } from "./live-state.ts";
import { remoteCommand } from "./remote-command.ts";
import type { Login } from "./server.ts";

export interface CertificateArgs {
  readonly login: Login;
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
    super("daytona-edge:host:Certificate", name, {}, opts);
    const { login, config } = args;
    const credentials = new LiveState(
      `${name}-credentials`,
      {
        login,
        document: "certificate/credentials.env",
        content: pulumi.output(args.credentials).apply(credentialsFile),
      },
      { parent: this },
    );
    const installed = new InstalledBundle(
      name,
      { login, bundle: certificateBundle({ ...config, ...args }) },
      { parent: this, dependsOn: credentials },
    );
    const run = (verb: "account" | "issue") => ({
      ...remoteCommand({
        login,
        create: { script: "run-certificate", environment: { VERB: verb } },
      }),
      triggers: [installed.sha256, credentials.written],
    });
    const account = new command.remote.Command(
      `${name}-account`,
      run("account"),
      { parent: this },
    );
    const records = certificateRecords(
      name,
      { config, account: account.stdout },
      { parent: this },
    );
    const issue = new command.remote.Command(`${name}-issue`, run("issue"), {
      parent: this,
      dependsOn: records,
    });
    this.issued = issue.id;
    this.registerOutputs({});
  }
}
