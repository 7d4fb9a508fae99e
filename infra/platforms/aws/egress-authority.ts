/** The private authority of all gateways, made by a function of its own. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { lambdaProgram } from "../../certificate/lambda-program.ts";
import { egressAuthority } from "../../machine/live-state.ts";
import { ScheduledFunction } from "./scheduled-function.ts";
import { ownDocuments } from "./secret-arn.ts";

export interface EgressAuthorityArgs {
  /** Hosts that are inspected; one at least. */
  readonly hosts: readonly string[];
  /** Goes before the name of its document in Secrets Manager. */
  readonly secrets: string;
}

/** It renews at two thirds of a year, so this is often enough. */
const schedule = "rate(7 days)";

export class EgressAuthority extends pulumi.ComponentResource {
  /** PEM. */
  readonly certificate: pulumi.Output<string>;

  constructor(
    name: string,
    args: EgressAuthorityArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:aws:EgressAuthority", name, {}, opts);
    const program = lambdaProgram("authority-lambda.ts");
    const make = new ScheduledFunction(
      `${name}-make`,
      {
        description: "Makes and renews the egress gateways' authority.",
        program,
        environment: { AUTHORITY_SECRETS: args.secrets },
        timeout: 30,
        permissions: [
          ownDocuments([`${args.secrets}${egressAuthority.name}`], {
            parent: this,
          }),
        ],
      },
      { parent: this },
    );
    const input = { hosts: [...args.hosts].sort() };
    const made = new aws.lambda.Invocation(
      `${name}-made`,
      {
        functionName: make.name,
        input: JSON.stringify(input),
        triggers: {
          program: createHash("sha256").update(program).digest("hex"),
        },
      },
      { parent: this },
    );
    make.schedule(schedule, input, { dependsOn: [made] });
    this.certificate = made.result.apply(certificateOf);
    this.registerOutputs({});
  }
}

function certificateOf(result: string): string {
  return (JSON.parse(result) as { certificate: string }).certificate;
}
