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
import { certificateEnvironment } from "../../certificate/environment.ts";
import { certificateNames } from "../../certificate/held-certificate.ts";
import { lambdaProgram } from "../../certificate/lambda-program.ts";
import type { StackConfig } from "../../config/parse.ts";
import {
  certificateCredentials,
  namesWrittenBy,
} from "../../machine/live-state.ts";
import { CertificateAlarms } from "./certificate-alarms.ts";
import { ScheduledFunction } from "./scheduled-function.ts";
import { ownDocuments } from "./secret-arn.ts";

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

export class Certificate extends pulumi.ComponentResource {
  /** Known once a certificate is in Secrets Manager. */
  readonly issued: pulumi.Output<unknown>;
  /** As its figures name it. */
  readonly figuresName: string;

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
        name: `${args.secrets}${certificateCredentials.name}`,
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
    const program = lambdaProgram("lambda.ts");
    const variables = {
      ...certificateEnvironment(args.config, args.cloudflareUrl),
      CERTIFICATE_SECRETS: args.secrets,
    };
    const renew = new ScheduledFunction(
      `${name}-renew`,
      {
        description: `Gets and renews the certificate of ${domain}.`,
        program,
        environment: variables,
        timeout: longestRun,
        permissions: [
          ownDocuments(
            namesWrittenBy("certificate").map(
              (document) => `${args.secrets}${document}`,
            ),
            { parent: this },
          ),
          {
            sid: "Credentials",
            actions: ["secretsmanager:GetSecretValue"],
            resources: [credentials.arn],
          },
        ],
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
    renew.schedule(schedule, { verb: "issue" }, { dependsOn: [issue] });
    // Of all names that it has, the first.
    const [figuresName = domain] = certificateNames(domain);
    new CertificateAlarms(
      `${name}-alarms`,
      {
        name: figuresName,
        profile: certificate.profile,
        topic: args.alarmTopic,
      },
      { parent: this },
    );
    this.issued = issue.result;
    this.figuresName = figuresName;
    this.registerOutputs({});
  }
}
