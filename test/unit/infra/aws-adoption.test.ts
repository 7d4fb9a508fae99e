/** Which roads an adopted network of sandboxes may have. */
import { expect, test } from "vitest";
import type { ExistingNetwork } from "../../../infra/platforms/aws/adoption/existing-network.ts";
import { sandboxesProblems } from "../../../infra/platforms/aws/adoption/network-problems.ts";

const network: ExistingNetwork = {
  vpcId: "vpc-bbbbbbbb",
  cidrs: ["10.30.0.0/16"],
  ipv6Cidrs: [],
  dnsSupport: true,
  dnsHostnames: true,
  subnets: [],
  routeTables: [],
  internetGateways: [],
  natGateways: [],
  strangers: [],
};

function isRefused(destination: string, target: string): boolean {
  const routes = [{ destination, target }];
  const problems = sandboxesProblems(
    {
      key: "aws.sandboxes.adopt",
      ids: { vpcId: network.vpcId, subnetIds: [] },
      region: "eu-central-1",
      network: {
        ...network,
        routeTables: [{ id: "rtb-1", isMain: true, subnetIds: [], routes }],
      },
    },
    // The gateways', and Daytona's.
    ["10.20.0.0/16", "10.82.0.5/32"],
  );
  return problems.length > 0;
}

test.each([
  ["10.30.0.0/16", "local"],
  ["10.20.0.0/16", "pcx-1"],
  ["10.82.0.0/16", "pcx-1"],
])("a road to %s by %s", (destination, target) => {
  expect(isRefused(destination, target)).toBe(false);
});

test.each([
  // Everything has Daytona in it, too.
  ["0.0.0.0/0", "pcx-1"],
  ["0.0.0.0/1", "pcx-1"],
  ["10.83.0.0/16", "pcx-1"],
  ["2001:db8::/32", "pcx-1"],
  ["10.20.0.0/16", "tgw-1"],
  ["10.82.0.5/32", "eni-1"],
  ["10.82.0.5/32", "vgw-1"],
  ["10.82.0.5/32", ""],
  ["pl-1", "vpce-1"],
])("no road to %s by %s", (destination, target) => {
  expect(isRefused(destination, target)).toBe(true);
});
