/** What is whose: the stack that is deployed, and how its parts are named. */
import type * as aws from "@pulumi/aws";

export type Permissions = aws.types.input.iam.GetPolicyDocumentStatementArgs[];

export interface Scope {
  readonly account: string;
  readonly region: string;
  /** Name of the bucket that holds the stack's state. */
  readonly stateBucket: string;
  /** ARN of the key that encrypts the stack's secrets. */
  readonly secretsKey: string;
}

/** What this project is called, and the stack that is previewed. */
export const project = "daytona-edge";
export const stack = "prod";

/**
 * Buckets of the stack, and all else of it that policies name, by their names:
 * `pulumi:autonaming` in Pulumi.prod.yaml makes them so.
 */
export const ownBuckets = `aws-bundles-bucket-${stack}-*`;
export const own = ["certificate", "edge", "gateway", "sandboxes"].map(
  (part) => `aws-${part}-*-${stack}-*`,
);

/** All documents of the stack. */
export function documents(scope: Scope): string {
  return secrets(scope, "*");
}

/** Rows of the stack's machines. */
export function machineLogs({ account, region }: Scope): string {
  return `arn:aws:logs:${region}:${account}:log-group:${project}/${stack}/*`;
}

export function secrets({ account, region }: Scope, name: string): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${project}/${stack}/${name}`;
}
