/** What a machine has on AWS beside its bundle. */
import { expect, test } from "vitest";
import type { Bundle } from "../../../infra/machine/bundle.ts";
import { onAws } from "../../../infra/platforms/aws/machine/bundle.ts";

const bundle: Bundle = {
  name: "gateway",
  packages: ["haproxy"],
  files: [],
  units: ["wall.service", "door.service", "agent.service"],
  check: "/usr/local/lib/check.sh",
  ports: [],
};
const args = {
  region: "eu-central-1",
  servingUnit: "door.service",
  lifecycleHook: "drain",
  heartbeatSeconds: 480,
  publicAddress: true,
};

test("a machine can be let go from the first; it has its address before it serves, behind its wall", () => {
  expect(onAws(bundle, args).units).toEqual([
    "daytona-aws-lifecycle.service",
    "wall.service",
    "daytona-aws-public-address.service",
    "door.service",
    "agent.service",
  ]);
  const { files } = onAws(bundle, args);
  const first = files.find(({ path }) => path.includes("door.service.d/"));
  expect(String(first?.content)).toMatch(
    /^Requires=daytona-aws-public-address\.service\nAfter=daytona-aws-public-address\.service$/m,
  );
});

test("where any address will do, none is asked for", () => {
  const { units, files } = onAws(bundle, { ...args, publicAddress: false });
  expect(units).toEqual(["daytona-aws-lifecycle.service", ...bundle.units]);
  expect(files.filter(({ path }) => path.includes("address"))).toEqual([]);
});

test("every file that a unit names is there", () => {
  const { files } = onAws(bundle, args);
  const named = files.flatMap(({ content }) =>
    [...String(content).matchAll(/\/usr\/local\/lib\/daytona-edge\/\S+/g)].map(
      ([path]) => path,
    ),
  );
  expect(named).toHaveLength(2);
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(named));
});
