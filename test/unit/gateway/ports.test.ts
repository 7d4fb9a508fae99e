import { expect, test } from "vitest";
import type { DockerState } from "../../../infra/gateway/docker.ts";
import { foundAmong } from "../../../infra/gateway/found-sandboxes.ts";
import {
  type Link,
  portElements,
  portsOf,
} from "../../../infra/gateway/ports.ts";
import { foundInWords } from "../../../scripts/doctor/found-sandboxes.ts";

const a = "83792513-cd9e-428f-99c0-63c63bc7739c";
const b = "5f0c1a52-7d3b-4c1e-9a44-2b6a1e0d9c31";

/** A container whose process has the number of its network namespace. */
const container = (name: string, pid: number, ...bridges: string[]) => ({
  name,
  image: "any",
  labels: {},
  pid,
  endpoints: bridges.map((bridge) => ({
    bridge,
    mac: `02:42:ac:14:00:0${String(pid)}`,
    ipv4: `172.20.0.${String(pid)}`,
    names: [name],
  })),
});
const bridge = (name: string): Link => ({ name, isBridge: true });
const port = (name: string, on: string, peerNamespace?: number): Link => ({
  name,
  isBridge: false,
  bridge: on,
  ...(peerNamespace === undefined ? {} : { peerNamespace }),
});
const networks = [
  { name: "bridge", bridge: "docker0", subnets: ["172.17.0.0/16"] },
  { name: "runner-bridge", bridge: "br-runner", subnets: ["172.20.0.0/16"] },
  {
    name: "daytona-link-x",
    bridge: "br-0123456789ab",
    subnets: ["172.21.0.0/16"],
  },
  { name: "project_default", bridge: "br-project", subnets: ["172.18.0.0/16"] },
];
const bridges = [...networks.map((it) => bridge(it.bridge)), bridge("virbr0")];
const look = (
  containers: DockerState["containers"],
  ports: Link[],
  walled: string[] = [],
  named: string[] = [],
  builds = false,
) =>
  portsOf({ networks, containers }, [...bridges, ...ports], (pid) => pid, {
    interfaces: walled,
    networks: named,
    builds,
  });

test("each port is bound to what Docker gave the container behind it", () => {
  const ports = look(
    [container(a, 2, "br-runner"), container(b, 3, "br-runner")],
    [port("veth3", "br-runner", 3), port("veth2", "br-runner", 2)],
  );
  expect(ports).toEqual({
    walled: ["br-0123456789ab", "br-runner"],
    networks: ["172.20.0.0/16", "172.21.0.0/16"],
    open: ["br-project", "docker0", "virbr0"],
    sandboxes: ["veth2", "veth3"],
    others: [],
    bindings: [
      {
        port: "veth2",
        bridge: "br-runner",
        mac: "02:42:ac:14:00:02",
        ipv4: "172.20.0.2",
      },
      {
        port: "veth3",
        bridge: "br-runner",
        mac: "02:42:ac:14:00:03",
        ipv4: "172.20.0.3",
      },
    ],
  });
  expect(portElements(ports)).toBe(
    `add element inet daytona_egress walled { "br-0123456789ab", "br-runner" }
add set inet daytona_egress networks { typeof ip saddr; flags interval; auto-merge; }
add element inet daytona_egress networks { 172.20.0.0/16, 172.21.0.0/16 }
add element inet daytona_egress open { "br-project", "docker0", "virbr0" }
add element bridge daytona_egress sandboxes { "veth2", "veth3" }
add element bridge daytona_egress bound { "veth2" . 02:42:ac:14:00:02 . 172.20.0.2, "veth3" . 02:42:ac:14:00:03 . 172.20.0.3 }
`,
  );
});

test.each([
  ["a network of any name", "br-project"],
  ["Docker's own", "docker0"],
])("where a sandbox stands is walled: %s", (_, on) => {
  const ports = look(
    [container(a, 2, on), container("redis", 3, on)],
    [port("veth2", on, 2), port("veth3", on, 3)],
  );
  expect(ports.walled).toContain(on);
  expect(ports.open).not.toContain(on);
  expect(ports).toMatchObject({ sandboxes: ["veth2"], others: ["veth3"] });
  expect(portElements(ports)).toContain(
    'bound { "veth2" . 02:42:ac:14:00:02 . 172.20.0.2 }',
  );
});

test("a sandbox on two networks has a port on each", () => {
  const both = ["br-runner", "br-0123456789ab"];
  const ports = look(
    [container(a, 2, ...both)],
    both.map((on, index) => port(`veth${String(index)}`, on, 2)),
  );
  expect(ports.bindings.map((it) => [it.port, it.bridge])).toEqual([
    ["veth0", "br-runner"],
    ["veth1", "br-0123456789ab"],
  ]);
});

test("a container on a network of Daytona's is a sandbox, whatever its name", () => {
  const ports = look(
    [container("builder", 2, "br-runner")],
    [port("veth2", "br-runner", 2)],
  );
  expect(ports).toMatchObject({ sandboxes: ["veth2"], others: [] });
});

test.each([
  ["of nobody", [port("veth9", "br-runner", 9)]],
  ["whose other end the kernel does not tell", [port("veth9", "br-runner")]],
  [
    "that a sandbox made beside its own",
    [port("veth8", "br-runner", 2), port("veth9", "br-runner", 2)],
  ],
])("a port %s is bound to nothing", (_, ports) => {
  const seen = look([container(a, 2, "br-runner")], ports);
  expect(seen.bindings).toEqual([]);
  expect(seen.sandboxes).toEqual(ports.map(({ name }) => name));
});

test("what is walled in any case is, once it is there", () => {
  const ports = look([], [], ["br-project", "br-gone"]);
  expect(ports.walled).toEqual(["br-0123456789ab", "br-project", "br-runner"]);
});

test("addresses of sandboxes are their networks', and what is named", () => {
  const on = (...containers: DockerState["containers"]) =>
    look(containers, [], [], ["10.1.0.0/16"]).networks;
  const always = ["10.1.0.0/16", "172.20.0.0/16", "172.21.0.0/16"];
  expect(on(container("redis", 2, "docker0"))).toEqual(always);
  expect(on(container(a, 2, "docker0"))).toContain("172.17.0.0/16");
});

test("what is built is a sandbox where builds are enforced", () => {
  const built = [container("eager_bohr", 2, "docker0")];
  const ports = [
    port("veth2", "docker0", 2),
    // BuildKit's, of which Docker does not tell.
    port("veth3", "docker0", 3),
  ];
  expect(look(built, ports).open).toContain("docker0");
  const enforced = look(built, ports, [], [], true);
  expect(enforced.walled).toContain("docker0");
  expect(enforced).toMatchObject({ sandboxes: ["veth2", "veth3"], others: [] });
  expect(enforced.bindings.map((it) => it.port)).toEqual(["veth2"]);
});

test("what was found, in words", () => {
  const state = {
    networks,
    containers: [
      container(a, 2, "br-runner"),
      container(b, 3, "br-runner"),
      container("redis", 4, "docker0"),
    ],
  };
  const inWords = (walled: string[], runner?: string) =>
    foundInWords(foundAmong(state, { walled }, runner));
  expect(inWords(["br-runner", "lxc0"])).toBe(
    "by the server's Docker: 2 on runner-bridge (br-runner, 172.20.0.0/16); 0 on no network of Docker's (lxc0)",
  );
  expect(inWords([], "daytona-runner-1")).toBe(
    "by Docker in daytona-runner-1: none, and no network of theirs",
  );
});

test("a bridge of Docker's that it did not tell of is not open", () => {
  const ports = look([], [bridge("br-ba9876543210"), bridge("br-lan")]);
  expect(ports.open).toContain("br-lan");
  expect(ports.open).not.toContain("br-ba9876543210");
});
