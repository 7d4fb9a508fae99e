/** A document of the live state in the directory of a server. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { installScript } from "./look.ts";
import { type Login, connectionTo, remoteScript } from "./server.ts";

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
    const { server } = args.login;
    const where = {
      DOCUMENT: args.document,
      ONLY_WHEN_MISSING: args.onlyWhenMissing ? "yes" : "no",
    };
    const write = new command.remote.Command(
      `${name}-write`,
      {
        connection: connectionTo(args.login),
        // By standard input: no process list ever shows a secret.
        stdin: args.content,
        create: installScript(args.login, args.document, "write-state", where),
        delete: remoteScript(server, "remove-state", where),
      },
      { parent: this },
    );
    this.written = pulumi
      .all([args.content, write.id])
      .apply(([content]) => createHash("sha256").update(content).digest("hex"));
    this.registerOutputs({});
  }
}
