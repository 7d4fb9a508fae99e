/**
 * The certificate on AWS: a function that a schedule calls makes it and renews
 * it, in Secrets Manager, where the edges read it. `pulumi up` calls it first
 * and fails with its words. The account comes before CAA, and CAA before the
 * order.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { certificateRecords } from "../../certificate-records.ts";
import type { CertificateCredentials } from "../../certificate/credentials.ts";
import {
  certificateEnvironment,
  credentialsDocument,
} from "../../certificate/environment.ts";
import { lambdaProgram } from "../../certificate/lambda-program.ts";
import type { StackConfig } from "../../config.ts";
import { CertificateAlarms } from "./certificate-alarms.ts";
import { secretArn } from "./secret-arn.ts";

export interface CertificateArgs {
  readonly config: Pick<StackConfig, "domain" | "zoneId" | "certificate">;
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
  readonly credentials: pulumi.Input<CertificateCredentials>;
  /** Goes before the names of the documents in Secrets Manager. */
  readonly secrets: string;
  /** Topic that alarms go to. */
  readonly alarmTopic: pulumi.Input<string>;
}

/** Longest that Lambda lets a function run, in seconds. */
const longestRun = 900;
/** A run asks the authority whether it is time; so often it wants to be asked. */
const schedule = "rate(6 hours)";
const logDays = 90;
/** How long a call that came to nothing is kept, in seconds. */
const deadLetterSeconds = 14 * 24 * 60 * 60;

export class Certificate extends pulumi.ComponentResource {
  /** Known once a certificate is in Secrets Manager. */
  readonly issued: pulumi.Output<unknown>;

  constructor(
    name: string,
    args: CertificateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:Certificate", name, {}, opts);
    const { domain, certificate } = args.config;
    const credentials = new aws.secretsmanager.Secret(
      `${name}-credentials`,
      {
        name: `${args.secrets}${credentialsDocument}`,
        description: `What the certificate of ${domain} is ordered with.`,
        // The stack's configuration has it: another one comes at once.
        recoveryWindowInDays: 0,
      },
      { parent: this },
    );
    const credentialsValue = new aws.secretsmanager.SecretVersion(
      `${name}-credentials-value`,
      {
        secretId: credentials.id,
        secretString: pulumi.secret(pulumi.jsonStringify(args.credentials)),
      },
      { parent: this },
    );
    const deadLetters = new aws.sqs.Queue(
      `${name}-dead-letters`,
      {
        messageRetentionSeconds: deadLetterSeconds,
        sqsManagedSseEnabled: true,
      },
      { parent: this },
    );
    const log = new aws.cloudwatch.LogGroup(
      `${name}-log`,
      { retentionInDays: logDays },
      { parent: this },
    );
    const role = this.role(name, {
      ...args,
      credentials: credentials.arn,
      deadLetters: deadLetters.arn,
      log: log.arn,
    });
    const program = lambdaProgram();
    const variables = {
      ...certificateEnvironment(args.config, args.cloudflareUrl),
      CERTIFICATE_SECRETS: args.secrets,
    };
    const renew = new aws.lambda.Function(
      `${name}-renew`,
      {
        description: `Gets and renews the certificate of ${domain}.`,
        role: role.arn,
        runtime: aws.lambda.Runtime.NodeJS24dX,
        architectures: ["arm64"],
        handler: "index.handler",
        code: new pulumi.asset.AssetArchive({
          "index.js": new pulumi.asset.StringAsset(
            Buffer.from(program).toString(),
          ),
        }),
        memorySize: 512,
        timeout: longestRun,
        // Two runs at a time would order twice.
        reservedConcurrentExecutions: 1,
        environment: { variables },
        deadLetterConfig: { targetArn: deadLetters.arn },
        loggingConfig: { logFormat: "Text", logGroup: log.name },
      },
      { parent: this },
    );

    // Another program, setting or secret is another call; nothing else is.
    const triggers = {
      program: createHash("sha256").update(program).digest("hex"),
      settings: JSON.stringify(variables),
      credentials: credentialsValue.versionId,
    };
    const call = (verb: "account" | "issue", after: pulumi.Resource[]) =>
      new aws.lambda.Invocation(
        `${name}-${verb}`,
        {
          functionName: renew.name,
          input: JSON.stringify({ verb }),
          triggers,
        },
        { parent: this, dependsOn: after },
      );
    const account = call("account", [credentialsValue]);
    const records = certificateRecords(
      name,
      { config: args.config, account: account.result },
      { parent: this },
    );
    const issue = call("issue", records);
    this.schedule(name, renew, deadLetters, [issue]);
    new CertificateAlarms(
      `${name}-alarms`,
      {
        name: variables.CERTIFICATE_NAMES,
        profile: certificate.profile,
        topic: args.alarmTopic,
      },
      { parent: this },
    );
    this.issued = issue.result;
    this.registerOutputs({});
  }

  /** May do what the function does, and nothing else. */
  private role(
    name: string,
    args: Pick<CertificateArgs, "secrets"> & {
      readonly credentials: pulumi.Input<string>;
      readonly deadLetters: pulumi.Input<string>;
      readonly log: pulumi.Input<string>;
    },
  ): aws.iam.Role {
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({
          Service: "lambda.amazonaws.com",
        }),
      },
      { parent: this },
    );
    const secret = (document: string) =>
      secretArn(`${args.secrets}${document}`, { parent: this });
    new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        role: role.id,
        policy: aws.iam.getPolicyDocumentOutput(
          {
            statements: [
              {
                sid: "Documents",
                actions: [
                  "secretsmanager:CreateSecret",
                  "secretsmanager:GetSecretValue",
                  "secretsmanager:PutSecretValue",
                  "secretsmanager:RestoreSecret",
                ],
                resources: [
                  "acme-account.json",
                  "acme-order.json",
                  "certificate-report.json",
                  "certificate.json",
                ].map(secret),
              },
              {
                sid: "Credentials",
                actions: ["secretsmanager:GetSecretValue"],
                resources: [args.credentials],
              },
              {
                sid: "DeadLetters",
                actions: ["sqs:SendMessage"],
                resources: [args.deadLetters],
              },
              {
                sid: "Log",
                actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
                resources: [pulumi.interpolate`${args.log}:*`],
              },
            ],
          },
          { parent: this },
        ).json,
      },
      { parent: this },
    );
    return role;
  }

  private schedule(
    name: string,
    target: aws.lambda.Function,
    deadLetters: aws.sqs.Queue,
    after: pulumi.Resource[],
  ): void {
    const role = new aws.iam.Role(
      `${name}-schedule-role`,
      {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({
          Service: "scheduler.amazonaws.com",
        }),
      },
      { parent: this },
    );
    new aws.iam.RolePolicy(
      `${name}-schedule-policy`,
      {
        role: role.id,
        policy: aws.iam.getPolicyDocumentOutput(
          {
            statements: [
              {
                actions: ["lambda:InvokeFunction"],
                resources: [target.arn],
              },
              {
                actions: ["sqs:SendMessage"],
                resources: [deadLetters.arn],
              },
            ],
          },
          { parent: this },
        ).json,
      },
      { parent: this },
    );
    new aws.scheduler.Schedule(
      `${name}-schedule`,
      {
        scheduleExpression: schedule,
        // Not all the world's at once.
        flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 60 },
        target: {
          arn: target.arn,
          roleArn: role.arn,
          input: JSON.stringify({ verb: "issue" }),
          deadLetterConfig: { arn: deadLetters.arn },
        },
      },
      { parent: this, dependsOn: after },
    );
  }
}
