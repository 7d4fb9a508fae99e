import type { PlannedResource, ResourcePolicy } from "./policy.ts";
import { fieldsOf, isSet, isTrue, listOf } from "./values.ts";

/**
 * What AWS encrypts only when asked. Log groups, secrets and new objects in
 * buckets it always does; buckets say it all the same (bucket-encryption.ts).
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
