import type { ResourcePolicy } from "./policy.ts";
import { fieldsOf } from "./values.ts";

const types = [
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
    if (!types.includes(type)) return [];
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
