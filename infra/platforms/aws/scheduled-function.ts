/**
 * A function that a schedule calls, and the stack: alone, in no network, with a
 * log, and with a place for calls that came to nothing.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { serviceTrust } from "./service-trust.ts";

export interface ScheduledFunctionArgs {
  readonly description: string;
  /** One CommonJS file that exports `handler`. */
  readonly program: Uint8Array;
  readonly environment: Readonly<Record<string, string>>;
  /** What it may do beside writing its log. */
  readonly permissions: aws.types.input.iam.GetPolicyDocumentStatementArgs[];
  /** Time that a call may take, in seconds. */
  readonly timeout: number;
}

const functionTrust = aws.iam.assumeRolePolicyForPrincipal({
  Service: "lambda.amazonaws.com",
});

const logDays = 90;
/** How long a call that came to nothing is kept, in seconds. */
const deadLetterSeconds = 14 * 24 * 60 * 60;

export class ScheduledFunction extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;
  private readonly ownName: string;
  private readonly target: aws.lambda.Function;
  private readonly deadLetters: aws.sqs.Queue;

  constructor(
    ownName: string,
    args: ScheduledFunctionArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:ScheduledFunction", ownName, {}, opts);
    this.ownName = ownName;
    this.deadLetters = new aws.sqs.Queue(
      `${ownName}-dead-letters`,
      {
        messageRetentionSeconds: deadLetterSeconds,
        sqsManagedSseEnabled: true,
      },
      { parent: this },
    );
    const log = new aws.cloudwatch.LogGroup(
      `${ownName}-log`,
      { retentionInDays: logDays },
      { parent: this },
    );
    const role = this.role(ownName, functionTrust, [
      ...args.permissions,
      {
        sid: "DeadLetters",
        actions: ["sqs:SendMessage"],
        resources: [this.deadLetters.arn],
      },
      {
        sid: "Log",
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [pulumi.interpolate`${log.arn}:*`],
      },
    ]);
    this.target = new aws.lambda.Function(
      `${ownName}-function`,
      {
        description: args.description,
        role: role.arn,
        runtime: aws.lambda.Runtime.NodeJS24dX,
        architectures: ["arm64"],
        handler: "index.handler",
        code: new pulumi.asset.AssetArchive({
          "index.js": new pulumi.asset.StringAsset(
            Buffer.from(args.program).toString(),
          ),
        }),
        memorySize: 512,
        timeout: args.timeout,
        // Two runs at a time would do twice what is done once: this is their lock.
        // An account whose quota is still 10 cannot reserve any (README).
        reservedConcurrentExecutions: 1,
        environment: { variables: args.environment },
        deadLetterConfig: { targetArn: this.deadLetters.arn },
        loggingConfig: { logFormat: "Text", logGroup: log.name },
      },
      { parent: this },
    );
    this.name = this.target.name;
    this.registerOutputs({});
  }

  /**
   * Calls it again and again.
   * @param expression `rate(…)` or `cron(…)`
   * @param input what it is called with
   */
  schedule(
    expression: string,
    input: object,
    opts: { readonly dependsOn: pulumi.Resource[] },
  ): void {
    const name = `${this.ownName}-schedule`;
    const role = this.role(
      name,
      serviceTrust("scheduler.amazonaws.com", { parent: this }),
      [
        { actions: ["lambda:InvokeFunction"], resources: [this.target.arn] },
        { actions: ["sqs:SendMessage"], resources: [this.deadLetters.arn] },
      ],
    );
    new aws.scheduler.Schedule(
      name,
      {
        scheduleExpression: expression,
        // Not all the world's at once.
        flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 60 },
        target: {
          arn: this.target.arn,
          roleArn: role.arn,
          input: JSON.stringify(input),
          deadLetterConfig: { arn: this.deadLetters.arn },
        },
      },
      { parent: this, ...opts },
    );
  }

  private role(
    name: string,
    assumeRolePolicy: aws.iam.RoleArgs["assumeRolePolicy"],
    statements: aws.types.input.iam.GetPolicyDocumentStatementArgs[],
  ): aws.iam.Role {
    const role = new aws.iam.Role(
      `${name}-role`,
      { assumeRolePolicy },
      { parent: this },
    );
    new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        role: role.id,
        policy: aws.iam.getPolicyDocumentOutput(
          { statements },
          { parent: this },
        ).json,
      },
      { parent: this },
    );
    return role;
  }
}
