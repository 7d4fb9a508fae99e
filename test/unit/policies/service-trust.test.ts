import { expect, test } from "vitest";
import { serviceTrust } from "../../../infra/policies/iam.ts";
import { planned } from "./planned.ts";

const judge = (type: string, inputs: Record<string, unknown>) =>
  serviceTrust.judge(planned(type, "it", inputs));
const role = "aws:iam/role:Role";
const account = "123456789012";
const allow = (Service: unknown, Condition?: object, more = {}) => ({
  Statement: [
    {
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Principal: { Service },
      Condition,
      ...more,
    },
  ],
});
const scheduler = "scheduler.amazonaws.com";

test.each([
  ["machines", allow("ec2.amazonaws.com")],
  ["functions", allow(["lambda.amazonaws.com"])],
  [
    "schedules of this account",
    allow(scheduler, { StringEquals: { "aws:SourceAccount": account } }),
  ],
  [
    "however it is written",
    allow([scheduler], { StringLike: { "AWS:sourceaccount": [account] } }),
  ],
  ["a denial", allow(scheduler, undefined, { Effect: "Deny" })],
  [
    "somebody who is no service",
    { Statement: { Effect: "Allow", Principal: { AWS: account } } },
  ],
])("trust in %s", (_, assumeRolePolicy) => {
  expect(judge(role, { assumeRolePolicy })).toEqual([]);
  expect(
    judge(role, { assumeRolePolicy: JSON.stringify(assumeRolePolicy) }),
  ).toEqual([]);
});

test.each([
  ["anybody's schedules", allow(scheduler)],
  [
    "the schedules of any account",
    allow(scheduler, { StringLike: { "aws:SourceAccount": "*" } }),
  ],
  [
    "all accounts but one",
    allow(scheduler, { StringNotEquals: { "aws:SourceAccount": account } }),
  ],
  ["one of two services", allow(["ec2.amazonaws.com", scheduler])],
])("no trust in %s", (_, assumeRolePolicy) => {
  expect(judge(role, { assumeRolePolicy })).toEqual([
    "scheduler.amazonaws.com may be sent by other accounts; add a condition aws:SourceAccount.",
  ]);
});

test("a topic, a bucket, a queue and a function, too", () => {
  const policy = JSON.stringify(allow("s3.amazonaws.com"));
  for (const type of [
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
  ]) {
    expect(judge(type, { policy })).toHaveLength(1);
  }
  const permission = "aws:lambda/permission:Permission";
  const principal = "s3.amazonaws.com";
  expect(judge(permission, { principal })).toEqual([
    "s3.amazonaws.com may be sent by other accounts; add sourceAccount and sourceArn.",
  ]);
  expect(judge(permission, { principal, sourceAccount: account })).toEqual([]);
  expect(judge(permission, { principal: account })).toEqual([]);
});
