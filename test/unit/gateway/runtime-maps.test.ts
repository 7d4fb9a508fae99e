import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import { applyMaps, ruleMaps } from "../../../infra/gateway/runtime-maps.ts";
import { temporaryDirectory } from "../temporary.ts";

/** HAProxy's maps, with versions and the limit of a command (3.0, section 9.3). */
class RunningMaps {
  readonly maps = new Map<string, string[]>();
  readonly commands: string[] = [];
  readonly #prepared = new Map<string, string[]>();

  // eslint-disable-next-line @typescript-eslint/require-await
  async command(text: string): Promise<string> {
    if (text.length >= 16_384) return "The command is too big for the buffer";
    const [head = "", ...payload] = text.split("\n");
    const [verb = "", , ...words] = head.split(" ");
    this.commands.push(`${verb} ${words.at(-1) === "<<" ? "<<" : ""}`.trim());
    const file = words.find((word) => word.startsWith("/")) ?? "";
    if (verb === "show") {
      const entries = this.maps.get(file) ?? [];
      return entries.map((entry) => `0x5566 ${entry}`).join("\n");
    }
    if (verb === "prepare") {
      this.#prepared.set(file, []);
      return "New version created: 3";
    }
    if (words[0] !== "@3") return "unknown version";
    if (verb === "add") {
      this.#prepared.get(file)?.push(...payload.filter((line) => line !== ""));
    } else {
      this.maps.set(file, this.#prepared.get(file) ?? []);
    }
    return "";
  }
}

const many = (count: number) =>
  parseEgressRules(
    Array.from(
      { length: count },
      (_, i) => `https://openrouter.ai/a/rather/long/path/of/rule/${String(i)}`,
    ),
  ).rules;

test("the maps are the same on disk and in HAProxy", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  const { rules } = parseEgressRules([
    "https://openrouter.ai/api/v1/*",
    "https://api.github.com/*",
  ]);
  await applyMaps(directory, rules, {}, haproxy);
  const sni = join(directory, "sni.map");
  expect(readFileSync(sni, "utf8")).toBe(
    "api.github.com splice\nopenrouter.ai inspect\n",
  );
  expect(haproxy.maps.get(sni)).toEqual([
    "api.github.com splice",
    "openrouter.ai inspect",
  ]);
});

test("all maps of rules are known by name: the agent watches them", async () => {
  const directory = await temporaryDirectory();
  await applyMaps(directory, many(3), {}, new RunningMaps());
  const files = ruleMaps.map((name) => `${name}.map`);
  expect(readdirSync(directory).sort()).toEqual(files.sort());
});

test("what is there already is only looked at", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  await applyMaps(directory, many(3), {}, haproxy);
  haproxy.commands.length = 0;
  await applyMaps(directory, many(3), {}, haproxy);
  expect(haproxy.commands).toEqual(Array(8).fill("show"));
});

test("what the disk does not take counts, and a start lets nothing through", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  await applyMaps(directory, many(3), {}, haproxy);
  // Where the new file would be written.
  mkdirSync(join(directory, ".prefix.map.new"));
  mkdirSync(join(directory, ".exact.map.new"));
  const { rules } = parseEgressRules(["https://api.github.com/*"]);
  const unkept = await applyMaps(directory, rules, {}, haproxy);
  expect(unkept?.message).toMatch(
    /^in force, but not kept for a restart: .*exact\.map: /,
  );
  expect(haproxy.maps.get(join(directory, "exact.map"))).toEqual([]);
  for (const name of ["sni", "exact", "prefix"]) {
    expect(readFileSync(join(directory, `${name}.map`), "utf8")).toBe("");
  }
});

test("a HAProxy that lost its maps gets them back", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  await applyMaps(directory, many(3), {}, haproxy);
  haproxy.maps.clear();
  await applyMaps(directory, many(3), {}, haproxy);
  expect(haproxy.maps.get(join(directory, "exact.map"))).toHaveLength(3);
});

test("rules that go leave nothing behind", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  await applyMaps(directory, many(3), {}, haproxy);
  await applyMaps(directory, [], {}, haproxy);
  expect([...haproxy.maps.values()].flat()).toEqual([]);
});

test("a thousand rules fit, in several commands and one change", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  await applyMaps(directory, many(1000), {}, haproxy);
  expect(haproxy.maps.get(join(directory, "exact.map"))).toHaveLength(1000);
  expect(haproxy.commands.filter((verb) => verb === "commit")).toHaveLength(4);
});

test("what HAProxy refuses is an error in its words", async () => {
  const haproxy = { command: () => Promise.resolve("Permission denied.") };
  await expect(
    applyMaps(await temporaryDirectory(), many(1), {}, haproxy),
  ).rejects.toThrow(/options\.map: Permission denied/);
});

test("what a rule asks for stays until the rule is gone", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  const { rules } = parseEgressRules([
    { url: "https://openrouter.ai/api/*", clientCredential: "deny" },
  ]);
  await applyMaps(directory, rules, {}, haproxy);
  const options = join(directory, "options.map");
  const prefix = join(directory, "prefix.map");
  const isGuarded = () =>
    haproxy.maps.get(prefix)?.length === 0 ||
    haproxy.maps.get(options)?.length === 1;
  const seen: boolean[] = [];
  await applyMaps(
    directory,
    [],
    {},
    {
      command: async (text) => {
        const answer = await haproxy.command(text);
        seen.push(isGuarded());
        return answer;
      },
    },
  );
  expect(seen).not.toContain(false);
  expect([...haproxy.maps.values()].flat()).toEqual([]);
});

test("a secret that is missing changes nothing, and is named", async () => {
  const directory = await temporaryDirectory();
  const haproxy = new RunningMaps();
  const { rules } = parseEgressRules([
    {
      url: "https://openrouter.ai/api/*",
      credential: {
        header: "Authorization",
        scheme: "Bearer",
        secret: "openrouter",
      },
    },
  ]);
  await expect(
    applyMaps(directory, rules, { other: "x".repeat(20) }, haproxy),
  ).rejects.toThrow(
    '"https://openrouter.ai/api/*" needs the secret "openrouter"',
  );
  expect(haproxy.commands).toEqual([]);
  await applyMaps(directory, rules, { openrouter: "sk-or-v1-1" }, haproxy);
  expect(haproxy.maps.get(join(directory, "credentials.map"))).toEqual([
    "https://openrouter.ai/api/* Bearer sk-or-v1-1",
  ]);
});
