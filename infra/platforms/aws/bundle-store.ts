/** Where new machines find their bundle: user data is too small for it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Bundle } from "../../machine/bundle.ts";
import { bundleTarball } from "../../machine/tarball.ts";

/** A bundle in the store. */
export interface StoredBundle {
  readonly bucket: pulumi.Output<string>;
  readonly key: pulumi.Output<string>;
  /** Of it, and of those that older machines of its kind were made from. */
  readonly arns: pulumi.Output<string>;
  readonly sha256: pulumi.Output<string>;
}

export class BundleStore extends pulumi.ComponentResource {
  private readonly bucket: aws.s3.Bucket;
  private readonly ready: pulumi.Resource[];

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("daytona-edge:aws:BundleStore", name, {}, opts);
    const bucket = new aws.s3.Bucket(
      `${name}-bucket`,
      // Nothing in it cannot be made again.
      { forceDestroy: true },
      { parent: this },
    );
    const closed = new aws.s3.BucketPublicAccessBlock(
      `${name}-closed`,
      {
        bucket: bucket.id,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      { parent: this },
    );
    const encrypted = new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encrypted`,
      {
        bucket: bucket.id,
        rules: [
          { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
        ],
      },
      { parent: this },
    );
    const overTls = new aws.s3.BucketPolicy(
      `${name}-policy`,
      {
        bucket: bucket.id,
        policy: aws.iam.getPolicyDocumentOutput(
          {
            statements: [
              {
                sid: "OnlyOverTls",
                effect: "Deny",
                principals: [{ type: "*", identifiers: ["*"] }],
                actions: ["s3:*"],
                resources: [bucket.arn, pulumi.interpolate`${bucket.arn}/*`],
                conditions: [
                  {
                    test: "Bool",
                    variable: "aws:SecureTransport",
                    values: ["false"],
                  },
                ],
              },
            ],
          },
          { parent: this },
        ).json,
      },
      { parent: this, dependsOn: closed },
    );
    this.bucket = bucket;
    this.ready = [closed, encrypted, overTls];
    this.registerOutputs({});
  }

  /** Lays a bundle down, beside those that older machines were made from. */
  put(name: string, bundle: Bundle): StoredBundle {
    const { base64, sha256 } = pulumi.output(
      bundleTarball(bundle).then((packed) => ({
        base64: Buffer.from(packed).toString("base64"),
        sha256: createHash("sha256").update(packed).digest("hex"),
      })),
    );
    const object = new aws.s3.BucketObjectv2(
      name,
      {
        bucket: this.bucket.id,
        key: pulumi.interpolate`${bundle.name}-${sha256}.tar.gz`,
        contentBase64: base64,
        contentType: "application/gzip",
      },
      // A group goes on with the template before, and its bundle, until it gets
      // the new one; and for good where "up" fails in between.
      { parent: this, dependsOn: this.ready, retainOnDelete: true },
    );
    return {
      bucket: object.bucket,
      key: object.key,
      arns: pulumi.interpolate`${this.bucket.arn}/${bundle.name}-*.tar.gz`,
      sha256,
    };
  }
}
