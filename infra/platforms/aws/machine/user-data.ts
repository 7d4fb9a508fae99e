/** User data of the stack's machines on AWS. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cloudInitUserData } from "../../../machine/cloud-init.ts";

const file = (name: string) =>
  readFileSync(join(import.meta.dirname, name), "utf8");

/** Where the bundle is, and which one it must be. */
export interface AwsUserData {
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

export function awsUserData(args: AwsUserData): string {
  return cloudInitUserData({
    script: file("bootstrap.sh"),
    environment: {
      AWS_REGION: args.region,
      BUNDLE_BUCKET: args.bucket,
      BUNDLE_KEY: args.key,
      BUNDLE_SHA256: args.sha256,
    },
    files: { "imds.sh": file("imds.sh") },
  });
}
