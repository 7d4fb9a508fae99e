/** Configuration of the platform host. */
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../infra/config/parse.ts";
import { publicAddresses } from "../../../infra/platforms/host/settings.ts";

const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;
const host = { address: "203.0.113.10", hostKey };
const good = {
  domain: "sandbox.example.net",
  platform: "host",
  cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
  host,
};

const problemsOf = (change: Record<string, unknown>) =>
  parseConfig({ ...good, ...change }).problems;

test("three keys are enough; Daytona is on the same server", () => {
  const { config, problems } = parseConfig(good);
  expect(problems).toEqual([]);
  expect(config).toMatchObject({
    upstream: { mode: "daytona", url: "http://127.0.0.1:4000" },
    access: "daytona",
    host: { user: "root", port: 22 },
  });
});

test("what the names lead to is the server's address, or what is said", () => {
  const of = (change: Record<string, unknown>) => {
    const { config } = parseConfig({ ...good, host: { ...host, ...change } });
    return config?.host && publicAddresses(config.host);
  };
  expect(of({})).toEqual({ ipv4: ["203.0.113.10"], ipv6: [] });
  expect(of({ address: "2001:db8::1" })).toEqual({
    ipv4: [],
    ipv6: ["2001:db8::1"],
  });
  const publicly = { ipv4: ["203.0.113.9"], ipv6: ["2001:db8::9"] };
  expect(of({ address: "10.0.0.1", publicAddresses: publicly })).toEqual(
    publicly,
  );
});

test("another web server may have the edge's ports at another address", () => {
  const { problems } = parseConfig({
    ...good,
    host: {
      ...host,
      listen: ["203.0.113.10", "2001:db8::1"],
      otherSites: { https: "127.0.0.1:443", http: "[::1]:80" },
    },
  });
  expect(problems).toEqual([]);
});

describe("refused", () => {
  const [https, http] = ["127.0.0.1:8443", "127.0.0.1:8080"];
  const ownSocket = (port: string) =>
    `the edge itself listens at this port; let the other web server listen at another one, for example 127.0.0.1:${port}`;
  test.each<[Record<string, unknown>, string, string]>([
    [
      { host: undefined },
      "host",
      "missing; set address and hostKey of the server",
    ],
    [
      { host: { hostKey } },
      "host.address",
      "missing; set the server's address, for example 203.0.113.10",
    ],
    [
      { host: { address: "203.0.113.10" } },
      "host.hostKey",
      "missing; set a public key of the server, so that no other can take its place; there: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
    ],
    [
      { host: { ...host, hostKey: `ssh-rsa ${"A".repeat(372)}` } },
      "host.hostKey",
      "it is an RSA key, by which Pulumi's plugin cannot know the server; write what stands in /etc/ssh/ssh_host_ed25519_key.pub there, without the comment",
    ],
    [
      { host: { ...host, hostKey: "SHA256:abc" } },
      "host.hostKey",
      '"SHA256:abc" is no public host key; write its type and the key as they stand in /etc/ssh/ssh_host_ed25519_key.pub on the server, for example "ssh-ed25519 AAAA…", without the comment',
    ],
    [
      { host: { ...host, address: "root@203.0.113.10" } },
      "host.address",
      '"root@203.0.113.10" is not a name or an address; write one such as 203.0.113.10, with the port in the key port',
    ],
    ...["203.0.113.10:22", "daytona.example.net:22", "203.0.113.300"].map(
      (address): [Record<string, unknown>, string, string] => [
        { host: { ...host, address } },
        "host.address",
        `"${address}" is not a name or an address; write one such as 203.0.113.10, with the port in the key port`,
      ],
    ),
    [
      { host: { ...host, operators: ["10.0.0.1"] } },
      "host.operators[0]",
      '"10.0.0.1" is not an IPv4 network; write one such as 10.0.0.0/8, or 10.0.0.1/32 for a single address',
    ],
    [
      { host: { ...host, address: "daytona.example.net" } },
      "host.publicAddresses",
      "missing, while host.address, daytona.example.net, is a name; set what the sandboxes' names shall lead to, for example ipv4: [203.0.113.10]",
    ],
    [
      { host: { ...host, publicAddresses: {} } },
      "host.publicAddresses",
      "it names no address; write ipv4: [203.0.113.10], or remove it",
    ],
    [
      { host: { ...host, jump: { address: "203.0.113.1" } } },
      "host.jump.hostKey",
      "missing; set a public key of the server, so that no other can take its place; there: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
    ],
    [
      { host: { ...host, runners: [{ hostKey }] } },
      "host.runners[0].address",
      "missing; set the server's address, for example 203.0.113.10",
    ],
    [
      {
        egress: { allow: [] },
        gateway: {
          server: host,
          sandboxes: { interfaces: ["br-a"], networks: ["172.20.0.0/16"] },
        },
      },
      "gateway.server",
      "nothing reads this key; remove it or correct its spelling",
    ],
    [
      {
        platform: "aws",
        aws: { region: "eu-central-1" },
        upstream: { mode: "daytona", url: "http://h:4000" },
      },
      "host",
      "nothing reads it on platform aws; remove it, or set platform to host",
    ],
    [
      { host: { ...host, listen: ["eth0"] } },
      "host.listen[0]",
      expect.any(String) as string,
    ],
    [
      { host: { ...host, otherSites: { https: "caddy:8443", http } } },
      "host.otherSites.https",
      '"caddy:8443" is not an IP address and a port; write one such as 127.0.0.1:8443',
    ],
    // Each connection would come back to the edge for ever.
    [
      { host: { ...host, otherSites: { https: "127.0.0.1:443", http } } },
      "host.otherSites.https",
      ownSocket("8443"),
    ],
    [
      {
        host: {
          ...host,
          listen: ["203.0.113.10"],
          otherSites: { https, http: "203.0.113.10:80" },
        },
      },
      "host.otherSites.http",
      ownSocket("8080"),
    ],
  ])("%j", (change, key, message) => {
    expect(problemsOf(change)).toMatchObject([{ key, message }]);
  });
});
