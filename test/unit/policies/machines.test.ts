import { describe, expect, test } from "vitest";
import {
  bucketEncryption,
  encryption,
  instanceMetadata,
} from "../../../infra/policies/machines.ts";
import { names, planned } from "./planned.ts";

const template = "aws:ec2/launchTemplate:LaunchTemplate";
const instance = "aws:ec2/instance:Instance";
const queue = "aws:sqs/queue:Queue";
const volume = "aws:ebs/volume:Volume";

describe("instance-metadata", () => {
  const judge = (type: string, inputs: Record<string, unknown>) =>
    instanceMetadata.judge(planned(type, "it", inputs));
  const strict = { httpTokens: "required", httpPutResponseHopLimit: 1 };

  test.each([
    [template, { metadataOptions: strict }],
    [instance, { metadataOptions: strict }],
    [instance, { metadataOptions: { httpEndpoint: "disabled" } }],
    ["aws:ec2/subnet:Subnet", {}],
  ])("%s with %j", (type, inputs) => {
    expect(judge(type, inputs)).toEqual([]);
  });

  test.each([
    [
      template,
      { metadataOptions: { ...strict, httpTokens: "optional" } },
      "httpTokens",
    ],
    [
      template,
      { metadataOptions: { httpPutResponseHopLimit: 1 } },
      "httpTokens",
    ],
    [
      instance,
      { metadataOptions: { ...strict, httpPutResponseHopLimit: 2 } },
      "HopLimit",
    ],
    [instance, { metadataOptions: { httpTokens: "required" } }, "HopLimit"],
  ])("%s with %j", (type, inputs, text) => {
    expect(judge(type, inputs)).toEqual([expect.stringContaining(text)]);
  });

  test.each([template, instance])("%s that says nothing", (type) => {
    expect(judge(type, {})).toHaveLength(2);
  });
});

describe("encryption", () => {
  const judge = (type: string, inputs: Record<string, unknown>) =>
    encryption.judge(planned(type, "it", inputs));
  const disk = (ebs: object) => ({ deviceName: "/dev/xvda", ebs });
  const encrypted = disk({ encrypted: "true" });

  test.each([
    [template, { blockDeviceMappings: [encrypted] }],
    [
      template,
      {
        blockDeviceMappings: [
          encrypted,
          { deviceName: "/dev/sdb", noDevice: "" },
        ],
      },
    ],
    [instance, { rootBlockDevice: { encrypted: true } }],
    [volume, { encrypted: true }],
    [queue, { sqsManagedSseEnabled: true }],
    [queue, { kmsMasterKeyId: "alias/ours" }],
    ["aws:cloudwatch/logGroup:LogGroup", {}],
  ])("%s with %j", (type, inputs) => {
    expect(judge(type, inputs)).toEqual([]);
  });

  test.each([
    [template, {}, "image"],
    [template, { blockDeviceMappings: [disk({ volumeSize: 8 })] }, "/dev/xvda"],
    [
      template,
      {
        blockDeviceMappings: [
          encrypted,
          { deviceName: "/dev/sdb", ebs: { encrypted: "false" } },
        ],
      },
      "/dev/sdb",
    ],
    [instance, {}, "root disk"],
    [
      instance,
      {
        rootBlockDevice: { encrypted: true },
        ebsBlockDevices: [{ deviceName: "/dev/sdb" }],
      },
      "/dev/sdb",
    ],
    [volume, {}, "volume"],
    [queue, {}, "sqsManagedSseEnabled"],
    [
      queue,
      { sqsManagedSseEnabled: false, kmsMasterKeyId: "" },
      "sqsManagedSseEnabled",
    ],
  ])("%s with %j", (type, inputs, text) => {
    expect(judge(type, inputs)).toEqual([expect.stringContaining(text)]);
  });
});

describe("bucket-encryption", () => {
  const bucket = planned("aws:s3/bucket:Bucket", "bucket");
  const other = planned("aws:s3/bucket:Bucket", "other");
  const says = (sseAlgorithm?: string) =>
    planned(
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      "says",
      { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm } }] },
      { from: { bucket: [bucket] } },
    );

  test.each([
    ["with a configuration", [bucket, says("AES256")], []],
    ["without", [bucket], ["bucket"]],
    ["with one that names no algorithm", [bucket, says()], ["bucket"]],
    ["beside another's", [bucket, other, says("aws:kms")], ["other"]],
  ])("a bucket %s", (_, resources, expected) => {
    expect(names(bucketEncryption.judgeStack(resources))).toEqual(expected);
  });
});
