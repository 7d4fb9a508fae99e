/** The one place that reads this stack's configuration. */
import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { check, problemReport } from "../config/problems.ts";
import { text } from "../config/values.ts";

const schema = z.object({
  repository: text(
    /^[\w-]+\/[\w.-]+$|^[\w-]+@[0-9]+\/[\w.-]+@[0-9]+$/,
    `is no repository; write OWNER/NAME, or OWNER@ID/NAME@ID, as "gh api repos/OWNER/NAME/actions/oidc/customization/sub" says`,
  ).describe("The repository that may preview and deploy, OWNER/NAME."),
  stateBucket: text(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    "is no name of a bucket; write it without s3://",
  ).describe("The name of the bucket that holds the stack's state."),
  secretsKey: text(
    /^arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key\/[\w-]+$/,
    `is no ARN of a KMS key; "aws kms describe-key" says the one of an alias`,
  ).describe("The ARN of the KMS key that encrypts the stack's secrets."),
});

/** @throws pulumi.RunError that lists every problem with its key and the fix. */
export function readConfig(): z.infer<typeof schema> {
  const project = new pulumi.Config();
  const { data, problems } = check(
    schema,
    Object.fromEntries(
      Object.keys(schema.shape).map((key) => [key, project.get(key)]),
    ),
  );
  if (data) return data;
  throw new pulumi.RunError(
    problemReport(
      `Pulumi.${pulumi.getStack()}.yaml`,
      `${project.name}:`,
      // The lines to type are for the keys of the other project.
      problems.map(({ key, message }) => ({ key, message })),
    ),
  );
}
