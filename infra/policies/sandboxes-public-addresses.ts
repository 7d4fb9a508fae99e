import { ofType, refersAnyhowTo, urnsOf } from "./graph.ts";
import type { StackPolicy, Violation } from "./policy.ts";
import { namesOf, sandboxesVpc } from "./sandboxes-vpc.ts";
import { fieldsOf, isTrue, listOf } from "./values.ts";

const givenBySubnets = ["mapPublicIpOnLaunch", "assignIpv6AddressOnCreation"];
const machineTypes = [
  "aws:ec2/instance:Instance",
  "aws:ec2/launchTemplate:LaunchTemplate",
];

export const sandboxesPublicAddresses: StackPolicy = {
  name: "sandboxes-public-addresses",
  description: "No machine of the sandboxes has a public address.",
  judgeStack: (resources) => {
    const { subnets, groups } = sandboxesVpc(resources);
    const inside = new Set([...namesOf(subnets), ...urnsOf(groups)]);
    const machines = ofType(resources, ...machineTypes).filter((machine) =>
      refersAnyhowTo(machine, inside),
    );
    return [
      // What an adopted one gives was looked at before it was.
      ...subnets.flatMap(({ by: { urn, inputs } }) =>
        givenBySubnets
          .filter((property) => isTrue(inputs[property]))
          .map((property) => on(urn, property)),
      ),
      ...machines.flatMap(({ urn, inputs }) =>
        [inputs, ...listOf(inputs.networkInterfaces).map(fieldsOf)]
          .filter((fields) => isTrue(fields.associatePublicIpAddress))
          .map(() => on(urn, "associatePublicIpAddress")),
      ),
    ];
  },
};

function on(urn: string, property: string): Violation {
  return { urn, text: `${property} is on; switch it off.` };
}
