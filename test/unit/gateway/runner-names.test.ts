import { expect, test } from "vitest";
import { applyRunnerNames } from "../../../infra/gateway/runner-names.ts";

const gateway = "169.254.20.1";

/** unbound's local data by its names, as unbound-control(8) changes and lists it. */
function resolver() {
  const data = new Map<string, Set<string>>([
    ["localhost.", new Set(["127.0.0.1"])],
    ["api.github.com.", new Set([gateway])],
  ]);
  const changes: string[] = [];
  const lines = (input = "") => input.split("\n").filter(Boolean);
  const control = (command: string, input?: string): Promise<string> => {
    if (command !== "list_local_data") changes.push(command);
    for (const line of lines(input)) {
      const [name = "", , , , address = ""] = line.split(" ");
      if (command === "local_zones_remove") data.delete(name);
      if (command === "local_zones") data.set(name, new Set());
      if (command === "local_datas") data.get(name)?.add(address);
    }
    const all = [...data].flatMap(([name, addresses]) =>
      [...addresses].map((address) => `${name}\t30\tIN\tA\t${address}\n`),
    );
    return Promise.resolve(command === "list_local_data" ? all.join("") : "ok");
  };
  const apply = (found: Record<string, string[]>) =>
    applyRunnerNames(new Map(Object.entries(found)), {
      hosts: [],
      address: gateway,
      ofRules: () => ["api.github.com"],
      control,
    });
  return { data, changes, apply };
}

test("the runner's names are answered with their own addresses", async () => {
  const { data, apply } = resolver();
  await apply({
    redis: ["172.18.0.2"],
    "registry.example": ["1.2.3.4", "1.2.3.5"],
  });
  expect(data.get("redis.")).toEqual(new Set(["172.18.0.2"]));
  expect(data.get("registry.example.")).toEqual(
    new Set(["1.2.3.4", "1.2.3.5"]),
  );
});

test("what is as it should be is not touched", async () => {
  const { changes, apply } = resolver();
  await apply({ redis: ["172.18.0.2"] });
  changes.length = 0;
  await apply({ redis: ["172.18.0.2"] });
  expect(changes).toEqual([]);
});

test("another address takes the place of the one before; who is gone is not answered", async () => {
  const { data, apply } = resolver();
  await apply({ redis: ["172.18.0.2"], db: ["172.18.0.3"] });
  await apply({ redis: ["172.18.0.4"] });
  expect(data.get("redis.")).toEqual(new Set(["172.18.0.4"]));
  expect(data.has("db.")).toBe(false);
  expect(data.has("localhost.")).toBe(true);
});

test("a name that sandboxes may call leads to the gateway, whoever else has it", async () => {
  const { data, apply } = resolver();
  await apply({ "api.github.com": ["140.82.112.5"] });
  expect(data.get("api.github.com.")).toEqual(new Set([gateway]));
});
