/** A document of the live state in the directory of a server. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { installRun } from "./look.ts";
import { remoteCommand } from "./remote-command.ts";
import type { Login } from "./server.ts";

export interface LiveStateArgs {
  readonly login: Login;
  /** Path below /var/lib/daytona-edge. */
  readonly document: string;
  readonly content: pulumi.Input<string>;
  /** What is there already stays: the operator's tools write it as well. */
  readonly onlyWhenMissing?: boolean;
}

export class LiveState extends pulumi.ComponentResource {
  /** Known once the document is there; new after each change. */
  readonly written: pulumi.Output<unknown>;

  constructor(
    name: string,
    args: LiveStateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:host:LiveState", name, {}, opts);
    const { login, document } = args;
    const environment = {
      DOCUMENT: document,
      ONLY_WHEN_MISSING: args.onlyWhenMissing ? "yes" : "no",
    };
    const write = new command.remote.Command(
      `${name}-write`,
      remoteCommand({
        login,
        // By standard input: no process list ever shows a secret.
        input: args.content,
        create: installRun(login, document, {
          script: "write-state",
          environment,
        }),
        delete: { script: "remove-state", environment },
      }),
      // The plugin holds what a command says to be public, whatever it was given.
      { parent: this, additionalSecretOutputs: ["stdout", "stderr"] },
    );
    this.written = pulumi
      .all([args.content, write.id])
      .apply(([content]) => createHash("sha256").update(content).digest("hex"));
    this.registerOutputs({});
  }
}
