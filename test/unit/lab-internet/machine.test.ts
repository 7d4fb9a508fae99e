import { expect, it } from "vitest";
import {
  internetMachineHost,
  staticHosts,
} from "../../../scripts/lab/internet/hosts.ts";
import { internetMachine } from "../../../scripts/lab/internet/machine.ts";

const args = {
  program: "",
  webCa: { certificate: "web CA", key: "SECRET-key" },
  cloudflareToken: "SECRET-token",
  zoneId: "0123456789abcdef0123456789abcdef",
};
const machine = internetMachine(args);
const file = (path: string) =>
  machine.files.find((it) => it.path === path)?.content.toString() ?? "";

it("keeps secrets from everyone but root", () => {
  const secret = machine.files.filter((it) =>
    it.content.toString().includes("SECRET"),
  );
  expect(secret.map(({ path, mode }) => [path, mode])).toEqual([
    ["/etc/lab/internet.json", 0o600],
  ]);
});

it("lays every address of the table, and no other", () => {
  const own = [internetMachineHost.ipv4, internetMachineHost.ipv6];
  const known = staticHosts
    .flatMap(({ ipv4, ipv6 }) => [`${ipv4}/32`, `${ipv6}/128`])
    .filter((address) => !own.some((it) => address.startsWith(`${it}/`)));
  const network = file("/etc/systemd/network/public.network");
  const laid = [...network.matchAll(/^Address=(.*)$/gm)].map(([, it]) => it);
  expect(laid.sort()).toEqual(known.sort());
});

it("starts every unit it names", () => {
  expect(machine.units).toEqual(["internet.service", "pebble.service"]);
  for (const unit of machine.units) {
    expect(file(`/etc/systemd/system/${unit}`)).toContain("[Service]");
  }
});

it.each([{ cloudflareToken: "with space" }, { zoneId: "defikit.net" }])(
  "refuses %s",
  (wrong) => {
    expect(() => internetMachine({ ...args, ...wrong })).toThrow();
  },
);
