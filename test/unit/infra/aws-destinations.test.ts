/** What an edge on AWS may reach to reach sandboxes. */
import { expect, test } from "vitest";
import { destinations } from "../../../infra/platforms/aws/edge.ts";

const rulesOf = (url: string) =>
  destinations({ upstream: { mode: "daytona", url } });

test("Daytona's proxy by an address, on port 80 as on any other", () => {
  for (const port of [80, 4000]) {
    expect(rulesOf(`http://10.81.0.10:${String(port)}`)).toMatchObject([
      { to: { cidrIpv4: "10.81.0.10/32" }, fromPort: port, toPort: port },
    ]);
  }
});

test("by a name everywhere, unless everything is reached there already", () => {
  expect(rulesOf("http://daytona.internal:4000")).toMatchObject([
    { to: { cidrIpv4: "0.0.0.0/0" }, fromPort: 4000, toPort: 4000 },
  ]);
  expect(rulesOf("http://daytona.internal:80")).toEqual([]);
});

test.each([
  ["10.0.0.2:5300", { cidrIpv4: "10.0.0.2/32" }],
  ["[fd00::2]:5300", { cidrIpv6: "fd00::2/128" }],
])("the resolver %s, by UDP and TCP", (resolver, to) => {
  const networks = ["172.20.0.0/16"];
  const [, ...names] = destinations({
    upstream: { mode: "direct", resolver, networks },
  });
  const ports = { fromPort: 5300, toPort: 5300 };
  expect(names).toMatchObject([
    { to, ipProtocol: "tcp", ...ports },
    { to, ipProtocol: "udp", ...ports },
  ]);
});
