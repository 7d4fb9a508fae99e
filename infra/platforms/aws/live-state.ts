/** A document of live state on AWS: a secret that machines read. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface LiveStateArgs {
  /** Name of the secret. */
  readonly secret: string;
  readonly description: string;
  readonly content: pulumi.Input<string>;
  /** Others write it from then on: what it holds is never changed by the stack. */
  readonly onlyFirst?: boolean;
}

export class LiveState extends pulumi.ComponentResource {
  /** Known once the document is there. */
  readonly written: pulumi.Output<unknown>;

  constructor(
    name: string,
    args: LiveStateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:LiveState", name, {}, opts);
    const secret = new aws.secretsmanager.Secret(
      `${name}-secret`,
      {
        name: args.secret,
        description: args.description,
        // A secret that waits for its end keeps its name, and the next "up"
        // after a "destroy" would fail.
        recoveryWindowInDays: 0,
      },
      { parent: this },
    );
    const version = new aws.secretsmanager.SecretVersion(
      `${name}-content`,
      { secretId: secret.id, secretString: pulumi.secret(args.content) },
      {
        parent: this,
        ...(args.onlyFirst ? { ignoreChanges: ["secretString"] } : {}),
      },
    );
    this.written = version.versionId;
    this.registerOutputs({});
  }
}
