import { expect, test } from "vitest";
import { iamWildcards } from "../../../infra/policies/iam.ts";
import { planned } from "./planned.ts";

const rolePolicy = "aws:iam/rolePolicy:RolePolicy";
const judge = (type: string, inputs: Record<string, unknown>) =>
  iamWildcards.judge(planned(type, "it", inputs));
const one = "arn:aws:s3:::bundles/edge.tar.gz";
const allow = (Action: unknown, Resource: unknown, more = {}) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource, ...more }],
});

test.each([
  ["an action on one resource", allow("s3:GetObject", one)],
  ["an action on all", allow(["secretsmanager:BatchGetSecretValue"], ["*"])],
  ["all actions on one resource", allow("s3:*", [one])],
  [
    "a log group's streams",
    allow("logs:*", "arn:aws:logs:eu-central-1:1:log-group:x:*"),
  ],
  ["a denial", { Statement: { Effect: "Deny", Action: "*", Resource: "*" } }],
])("%s", (_, document) => {
  expect(judge(rolePolicy, { policy: document })).toEqual([]);
  expect(judge(rolePolicy, { policy: JSON.stringify(document) })).toEqual([]);
});

test.each([
  ["everything", allow("*", "*")],
  ["a service's actions on everything", allow(["s3:GetObject", "s3:*"], "*")],
  ["a family of actions on everything", allow("s3:Get*", ["*"])],
  ["on every ARN of a service", allow("s3:*", "arn:aws:s3:::*")],
  ["on every object of every bucket", allow("s3:*", "arn:aws:s3:::*/*")],
  ["all but some actions", allow(undefined, "*", { NotAction: "iam:*" })],
  ["on all but some resources", allow("s3:*", undefined, { NotResource: one })],
  [
    "in a statement that is no list",
    { Statement: allow("*", "*").Statement[0] },
  ],
])("%s", (_, document) => {
  const found = [expect.stringContaining("wildcard")];
  expect(judge(rolePolicy, { policy: document })).toEqual(found);
  expect(judge(rolePolicy, { policy: JSON.stringify(document) })).toEqual(
    found,
  );
  expect(judge("aws:iam/policy:Policy", { policy: document })).toEqual(found);
  expect(
    judge("aws:iam/role:Role", {
      inlinePolicies: [{ policy: JSON.stringify(document) }],
    }),
  ).toEqual(found);
});

test("a document that is not known yet is judged when it is", () => {
  expect(judge(rolePolicy, { policy: undefined })).toEqual([]);
});

test("a bucket's own policy is not one of a role", () => {
  const everything = allow("*", "*");
  expect(
    judge("aws:s3/bucketPolicy:BucketPolicy", { policy: everything }),
  ).toEqual([]);
});

const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
test.each([
  [attachment, { policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }],
  [attachment, { policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" }],
  [
    "aws:iam/role:Role",
    { managedPolicyArns: ["arn:aws:iam::aws:policy/PowerUserAccess"] },
  ],
])("%s of %j is as broad", (type, inputs) => {
  expect(judge(type, inputs)).toHaveLength(1);
});

test.each([
  "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
  "arn:aws:iam::123456789012:policy/NoAdministratorAccess",
])("%s may be attached", (policyArn) => {
  expect(judge(attachment, { policyArn })).toEqual([]);
});
