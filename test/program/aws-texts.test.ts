/** Names and descriptions that only some stacks have, as AWS would read them. */
import { expect, test } from "vitest";
import { nameOf } from "../../scripts/toolchain/engine-state.ts";
import { refusedTexts } from "./aws-texts.ts";
import { production } from "./production.ts";

test("a stack that reaches sandboxes itself has no character that AWS refuses", async () => {
  const direct = await production();
  try {
    direct.configure({
      "daytona-edge:access": "signed",
      "daytona-edge:upstream": {
        mode: "direct",
        resolver: "10.81.0.10:53",
        networks: ["10.81.0.0/16"],
      },
      "daytona-edge:aws": {
        region: "eu-central-1",
        sandboxes: { controlPlane: [{ cidr: "10.81.0.10/32", port: 4000 }] },
        alarmEmails: ["operators@defikit.net"],
      },
    });
    await using stack = await direct.open();
    await stack.up();
    const { resources } = direct.state();
    expect(resources.map(nameOf)).toEqual(
      expect.arrayContaining([
        "aws-sandboxes-runners-daytona-0",
        "aws-edge-machines-to-resolver-tcp",
      ]),
    );
    expect(refusedTexts(resources)).toEqual([]);
  } finally {
    direct.remove();
  }
});

test("what AWS refuses is found: a character, a length, what nobody has looked up", () => {
  const planned = (type: string, inputs: Record<string, unknown>) => ({
    ...{ urn: `urn:pulumi:prod::daytona-edge::${type}::one`, type, inputs },
  });
  const group = "aws:ec2/securityGroup:SecurityGroup";
  expect(
    refusedTexts([
      planned(group, { description: "Nobody's." }),
      planned(group, { description: "x".repeat(256) }),
      planned(group, { description: "The door.", name: "door" }),
      planned("aws:new/thing:Thing", { description: "A thing." }),
      planned("aws:sns/topic:Topic", { tags: { owner: "nobody's" } }),
    ]),
  ).toEqual([
    `one (${group}) description: "Nobody's."`,
    `one (${group}) description: "${"x".repeat(256)}"`,
    'one (aws:new/thing:Thing) description: "A thing."',
    'one (aws:sns/topic:Topic) owner: "nobody\'s"',
  ]);
});
