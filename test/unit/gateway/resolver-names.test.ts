import { expect, test } from "vitest";
import {
  applyNames,
  applyUnlisted,
} from "../../../infra/gateway/resolver-names.ts";

const gateway = "169.254.20.1";
/** The gateway's own zone, which no change takes away. */
const name = "gateway.internal.";

/** unbound's local zones, as unbound-control(8) changes and lists them. */
function resolver() {
  const zones = new Map<string, string | undefined>([
    ["localhost.", "127.0.0.1"],
    ["test.", undefined],
    [".", undefined],
  ]);
  const types = new Map([
    ["localhost.", "redirect"],
    ["test.", "static"],
    [".", "always_nxdomain"],
  ]);
  const commands: string[] = [];
  const lines = (input?: string) => (input ?? "").split("\n").filter(Boolean);
  const commandOf: Record<string, (input?: string) => string> = {
    list_local_data: () =>
      [...zones]
        .flatMap(([zone, address]) => [
          `${zone}\t10800\tIN\tSOA\tlocalhost. nobody.invalid. 1 3600 1200 604800 10800\n`,
          address === undefined ? "" : `${zone}\t30\tIN\tA\t${address}\n`,
        ])
        .join("\n"),
    list_local_zones: () =>
      [...zones.keys()]
        .map((zone) => `${zone} ${types.get(zone) ?? "static"}\n`)
        .join(""),
    local_zones: (input) => {
      for (const line of lines(input)) {
        const [zone = "", type = ""] = line.split(" ");
        expect(["static", "redirect", "always_nxdomain"]).toContain(type);
        types.set(zone, type);
        if (!zones.has(zone)) zones.set(zone, undefined);
      }
      return "ok";
    },
    local_datas: (input) => {
      for (const line of lines(input)) {
        const [zone = "", ttl, , type, address] = line.split(" ");
        expect([ttl, type]).toEqual(["30", "A"]);
        zones.set(zone, address);
      }
      return "ok";
    },
    local_datas_remove: (input) => {
      for (const zone of lines(input)) zones.set(zone, undefined);
      return "ok";
    },
    local_zones_remove: (input) => {
      for (const zone of lines(input)) zones.delete(zone);
      return "ok";
    },
  };
  return {
    zones,
    types,
    commands,
    control: (command: string, input?: string) => {
      commands.push(command);
      return Promise.resolve(commandOf[command]?.(input) ?? "unknown command");
    },
  };
}

const own = (zones: Map<string, string | undefined>) =>
  [...zones].filter(([, address]) => address === gateway).map(([zone]) => zone);

test("hosts get the gateway's address, and lose it when they go", async () => {
  const { zones, control } = resolver();
  await applyNames(["openrouter.ai", "api.github.com"], gateway, control);
  expect(own(zones)).toEqual([name, "openrouter.ai.", "api.github.com."]);
  await applyNames(["api.github.com"], gateway, control);
  expect(own(zones)).toEqual([name, "api.github.com."]);
  await applyNames([], gateway, control);
  expect(own(zones)).toEqual([name]);
});

test("a host below one of unbound's own zones goes like any other", async () => {
  const { zones, control } = resolver();
  await applyNames(["api.corp.test"], gateway, control);
  await applyNames([], gateway, control);
  expect([...zones.keys()]).toEqual(["localhost.", "test.", ".", name]);
});

test("nothing is changed when nothing is to change", async () => {
  const { commands, control } = resolver();
  await applyNames(["openrouter.ai"], gateway, control);
  commands.length = 0;
  await applyNames(["openrouter.ai"], gateway, control);
  expect(commands).toEqual(["list_local_zones", "list_local_data"]);
});

test("a restarted resolver and a half-done name are repaired", async () => {
  const { zones, control } = resolver();
  await applyNames(["openrouter.ai", "api.github.com"], gateway, control);
  zones.delete("openrouter.ai.");
  zones.delete(name);
  zones.set("api.github.com.", undefined);
  await applyNames(["openrouter.ai", "api.github.com"], gateway, control);
  expect(own(zones).sort()).toEqual([
    "api.github.com.",
    name,
    "openrouter.ai.",
  ]);
});

test("a wildcard answers the names below; an exact name may come in its place", async () => {
  const { zones, types, control } = resolver();
  await applyNames(["*.example.org", "api.example.org"], gateway, control);
  expect([types.get("example.org."), types.get("api.example.org.")]).toEqual([
    "redirect",
    "static",
  ]);
  await applyNames(["example.org"], gateway, control);
  expect(own(zones)).toEqual([name, "example.org."]);
  expect(types.get("example.org.")).toBe("static");
});

test("all other names are answered, and refused again, without a gap", async () => {
  const { zones, types, commands, control } = resolver();
  await applyNames(["api.github.com"], gateway, control);
  commands.length = 0;
  await applyUnlisted(true, gateway, control);
  expect([types.get("."), zones.get(".")]).toEqual(["redirect", gateway]);
  // First the answer, then the zone that gives it.
  expect(commands).toEqual(["list_local_zones", "local_datas", "local_zones"]);
  await applyNames(["openrouter.ai"], gateway, control);
  expect(own(zones)).toEqual([".", name, "openrouter.ai."]);
  commands.length = 0;
  await applyUnlisted(true, gateway, control);
  expect(commands).toEqual(["list_local_zones"]);
  await applyUnlisted(false, gateway, control);
  expect([types.get("."), zones.get(".")]).toEqual([
    "always_nxdomain",
    undefined,
  ]);
  expect(commands.slice(2)).toEqual(["local_zones", "local_datas_remove"]);
  expect(own(zones)).toEqual([name, "openrouter.ai."]);
});
