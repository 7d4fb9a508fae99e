/** Where alarms go, and what an operator wants to be woken for. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface AlarmTopicArgs {
  readonly emails: readonly string[];
}

export class AlarmTopic extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;

  constructor(
    name: string,
    args: AlarmTopicArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:AlarmTopic", name, {}, opts);
    const topic = new aws.sns.Topic(
      `${name}-topic`,
      { displayName: "daytona-edge" },
      { parent: this },
    );
    args.emails.forEach((endpoint, index) => {
      new aws.sns.TopicSubscription(
        `${name}-email-${String(index)}`,
        { topic: topic.arn, protocol: "email", endpoint },
        { parent: this },
      );
    });
    this.arn = topic.arn;
    this.registerOutputs({});
  }
}
