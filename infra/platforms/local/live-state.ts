/** A document of live state on this computer: in a directory that a machine reads. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { checkout } from "../../../scripts/checkout.ts";

export interface LiveStateArgs {
  readonly directory: string;
  /** Name of the document, for example "access.json". */
  readonly document: string;
  readonly content: pulumi.Input<string>;
  /** `base64` for content that is no text; `utf8` when absent. */
  readonly encoding?: "utf8" | "base64";
  /** Leaves a document alone that is there, whatever it holds. */
  readonly onlyWhenMissing?: boolean;
}

export class LiveState extends pulumi.ComponentResource {
  /** Known once the document is in the store. */
  readonly written: pulumi.Output<unknown>;

  constructor(
    name: string,
    args: LiveStateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:local:LiveState", name, {}, opts);
    const write = new command.local.Command(
      `${name}-write`,
      {
        dir: checkout,
        create: `"$NODE" scripts/lab/main.ts store write "$DIRECTORY" "$DOCUMENT" --encoding "$ENCODING"${args.onlyWhenMissing ? " --only-when-missing" : ""}`,
        environment: {
          NODE: process.execPath,
          DIRECTORY: args.directory,
          DOCUMENT: args.document,
          ENCODING: args.encoding ?? "utf8",
        },
        // By standard input: no process list ever shows a secret.
        stdin: args.content,
      },
      // The plugin holds what a command says to be public, whatever it was given.
      { parent: this, additionalSecretOutputs: ["stdout", "stderr"] },
    );
    this.written = write.id;
    this.registerOutputs({});
  }
}
