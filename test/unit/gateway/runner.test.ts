import { expect, test } from "vitest";
import type { Container } from "../../../infra/gateway/docker.ts";
import type { Link } from "../../../infra/gateway/ports.ts";
import {
  isEveryPortKnown,
  isRunner,
  neighbourNames,
  openPorts,
} from "../../../infra/gateway/runner.ts";

/** A container whose process has the number of its network namespace. */
const container = (
  name: string,
  pid: number,
  bridge: string,
  more: Partial<Container> = {},
): Container => ({
  name,
  image: "any",
  labels: {},
  pid,
  endpoints: [
    {
      bridge,
      mac: `02:42:ac:12:00:0${String(pid)}`,
      ipv4: `172.18.0.${String(pid)}`,
      names: [name, name.split("-")[1] ?? name],
    },
  ],
  ...more,
});
const compose = (project: string, service: string) => ({
  labels: {
    "com.docker.compose.project": project,
    "com.docker.compose.service": service,
  },
});
const runner = container(
  "daytona-runner-1",
  2,
  "br-0123456789ab",
  compose("daytona", "runner"),
);
const redis = container("daytona-redis-1", 3, "br-0123456789ab");
const docker = {
  networks: [
    {
      name: "daytona_daytona-network",
      bridge: "br-0123456789ab",
      subnets: ["172.18.0.0/16"],
    },
  ],
  containers: [runner, redis],
};
const port = (name: string, bridge: string, peerNamespace?: number): Link => ({
  name,
  isBridge: false,
  bridge,
  ...(peerNamespace === undefined ? {} : { peerNamespace }),
});
const same = (pid: number) => pid;

test.each([
  ["by its image", { image: "daytonaio/daytona-runner" }],
  ["by its image of a registry", { image: "r.example/x/daytona-runner:v1" }],
  ["by its image's digest", { image: "daytonaio/daytona-runner@sha256:00" }],
  ["of the fork", { image: "nightona/nightona-runner" }],
  ["by its service", compose("daytona", "runner")],
  [
    "by its service in a project of another name",
    compose("my-daytona", "runner"),
  ],
])("a runner is known %s", (_, more) => {
  expect(isRunner(container("x", 2, "br", more))).toBe(true);
});

test.each([
  ["of another project", compose("gitlab", "runner")],
  ["another service of Daytona", compose("daytona", "proxy")],
  ["another image", { image: "daytonaio/daytona-runner-tools" }],
])("a container is no runner: %s", (_, more) => {
  expect(isRunner(container("x", 2, "br", more))).toBe(false);
});

test("open is who is known and may be; a port of nobody's is not", () => {
  const ports = [
    port("veth2", "br-0123456789ab", 2),
    port("veth3", "br-0123456789ab", 3),
    port("veth4", "br-0123456789ab", 4),
    port("veth5", "br-0123456789ab"),
  ];
  expect(openPorts(docker, ports, same, (it) => it !== runner)).toEqual([
    "veth3",
  ]);
  expect(openPorts(docker, ports, same, () => true)).toEqual([
    "veth2",
    "veth3",
  ]);
});

test("a bridge that Docker has made since it was asked is closed; others' are open", () => {
  const ports = [
    port("veth6", "br-ba9876543210", 6),
    port("veth7", "docker0", 7),
    port("veth8", "lxdbr0", 8),
    port("enp1s0", "lxdbr0"),
  ];
  expect(openPorts(docker, ports, same, () => true)).toEqual(["veth8"]);
});

test("whether each port is somebody's", () => {
  const known = [port("veth2", "br-0123456789ab", 2)];
  expect(isEveryPortKnown(docker, known, same)).toBe(true);
  const unknown = [...known, port("veth4", "br-0123456789ab", 4)];
  expect(isEveryPortKnown(docker, unknown, same)).toBe(false);
});

test("the runner's neighbours, by all their names; no others", () => {
  const elsewhere = container("shop-web-1", 4, "br-shop");
  const all = { ...docker, containers: [...docker.containers, elsewhere] };
  expect(neighbourNames(all, runner)).toEqual({
    "daytona-runner-1": ["172.18.0.2"],
    runner: ["172.18.0.2"],
    "daytona-redis-1": ["172.18.0.3"],
    redis: ["172.18.0.3"],
  });
});
