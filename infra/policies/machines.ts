/** Machines, and what is kept on disks, in queues and buckets. */
import {
  type PlannedResource,
  type ResourcePolicy,
  type StackPolicy,
  fieldsOf,
  isSet,
  isTrue,
  listOf,
  ofType,
} from "./resources.ts";

/**
 * What AWS encrypts only when asked. Log groups, secrets and new objects in
 * buckets it always does; buckets say it all the same.
 * Topics are let off: alarms cannot be sent to one under AWS' own key, and
 * ours carry no secret.
 */
export const encryption: ResourcePolicy = {
  name: "encryption",
  description: "Disks and queues are encrypted.",
  judge: (resource) => judges[resource.type]?.(resource) ?? [],
};

const judges: Readonly<
  Record<string, (resource: PlannedResource) => readonly string[]>
> = {
  "aws:ec2/launchTemplate:LaunchTemplate": ({ inputs }) => {
    const disks = listOf(inputs.blockDeviceMappings)
      .map(fieldsOf)
      .filter(({ ebs }) => isSet(ebs));
    if (disks.length === 0) {
      return [
        "It leaves the disk to the image, which may not encrypt it; say it in blockDeviceMappings.",
      ];
    }
    return disks
      .filter(({ ebs }) => !isTrue(fieldsOf(ebs).encrypted))
      .map(({ deviceName }) => plainDisk(String(deviceName)));
  },
  "aws:ec2/instance:Instance": ({ inputs }) =>
    [
      { deviceName: "The root disk", ...fieldsOf(inputs.rootBlockDevice) },
      ...listOf(inputs.ebsBlockDevices).map(fieldsOf),
    ]
      .filter((disk) => !isTrue(fieldsOf(disk).encrypted))
      .map((disk) => plainDisk(String(fieldsOf(disk).deviceName))),
  "aws:ebs/volume:Volume": ({ inputs }) =>
    isTrue(inputs.encrypted) ? [] : [plainDisk("The volume")],
  "aws:sqs/queue:Queue": ({ inputs }) =>
    isTrue(inputs.sqsManagedSseEnabled) || isSet(inputs.kmsMasterKeyId)
      ? []
      : ["Its messages are not encrypted; set sqsManagedSseEnabled."],
};

function plainDisk(name: string): string {
  return `${name} is not encrypted; set encrypted.`;
}

const bucketTypes = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"];
const configuration =
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";

export const bucketEncryption: StackPolicy = {
  name: "bucket-encryption",
  description: "Every bucket says how it is encrypted.",
  judgeStack: (resources) => {
    const encrypted = ofType(resources, configuration)
      .filter(({ inputs }) =>
        listOf(inputs.rules)
          .map((rule) => fieldsOf(rule).applyServerSideEncryptionByDefault)
          .some((how) => isSet(fieldsOf(how).sseAlgorithm)),
      )
      .flatMap(
        ({ propertyDependencies }) => propertyDependencies?.bucket ?? [],
      );
    return ofType(resources, ...bucketTypes)
      .filter(({ urn }) => !encrypted.includes(urn))
      .map(({ urn }) => ({
        urn,
        text: "Nothing says how it is encrypted; add a BucketServerSideEncryptionConfiguration.",
      }));
  },
};

const machineTypes = [
  "aws:ec2/instance:Instance",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/launchConfiguration:LaunchConfiguration",
  "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
];

/**
 * The metadata service gives the machine's role to whoever asks. IMDSv2 asks
 * for a header that a forwarded request has not, and one hop keeps its answer
 * on the machine.
 */
export const instanceMetadata: ResourcePolicy = {
  name: "instance-metadata",
  description: "Machines' metadata is behind IMDSv2, one hop away.",
  judge: ({ type, inputs }) => {
    if (!machineTypes.includes(type)) return [];
    const options = fieldsOf(inputs.metadataOptions);
    if (options.httpEndpoint === "disabled") return [];
    return [
      ...(options.httpTokens === "required"
        ? []
        : ['metadataOptions.httpTokens is not "required"; set it.']),
      ...(options.httpPutResponseHopLimit === 1
        ? []
        : ["metadataOptions.httpPutResponseHopLimit is not 1; set it."]),
    ];
  },
};
