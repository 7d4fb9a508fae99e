/** The stack files of examples/, as they stand and with values of somebody's. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keyAt, keysOf } from "../../../infra/config/keys.ts";
import { parseConfig } from "../../../infra/config/parse.ts";
import { schema, secretKeys } from "../../../infra/config/schema.ts";
import { stackFileSchema } from "../../../infra/config/stack-file-schema.ts";
import { daytonaPorts } from "../../../infra/platforms/host/daytona-ports.ts";
import { checkout } from "../../../scripts/checkout.ts";
import { ownKeys } from "../../../scripts/stack.ts";
import {
  exampleFile,
  examples,
  filledExample,
} from "../../e2e/host/example.ts";

const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;
const values = {
  domain: "sandbox.example.net",
  cloudflare: { zoneId: "3f1d7cfa3c1c4e6fb0c0a1b1f1d2e3a4" },
  servers: [
    { address: "203.0.113.10", hostKey },
    { address: "203.0.113.11", hostKey },
  ],
};
const page = readFileSync(join(checkout, "docs/host.md"), "utf8");

test("there are no others, and docs/host.md has each copied", () => {
  const files = examples.map((example) => `Pulumi.${example}.yaml`);
  expect(readdirSync(join(checkout, "examples")).toSorted()).toEqual(
    files.toSorted(),
  );
  for (const file of files) expect(page).toContain(`cp examples/${file} .`);
});

describe("docs/host.md", () => {
  test("has the private addresses of the examples", () => {
    const { config } = exampleFile("proxy-vm-egress");
    const { operators } = config["daytona-edge:host"] as {
      operators: string[];
    };
    const { url } = config["daytona-edge:upstream"] as { url: string };
    const edge = String(operators[0]).replace("/32", "");
    expect(page).toContain(`curl -m 5 ${url}/health`);
    expect(page).toContain(`ip saddr ${edge} accept`);
    expect(page).toContain(`! -s ${edge} -j DROP`);
    expect(exampleFile("proxy-vm").config["daytona-edge:upstream"]).toEqual(
      config["daytona-edge:upstream"],
    );
  });

  test("closes no port that people outside need", () => {
    const [, ports = ""] = /tcp dport \{ (.*) \}/.exec(page) ?? [];
    const closed = ports.split(", ").map(Number);
    expect(closed).toContain(4000);
    const known = daytonaPorts.filter(({ outside }) => !outside);
    expect(known.map(({ port }) => port)).toEqual(
      expect.arrayContaining(closed),
    );
  });

  test("names commands, files and secrets that there are", () => {
    const all = (pattern: RegExp) =>
      Array.from(page.matchAll(pattern), ([, found = ""]) => found);
    const { scripts } = JSON.parse(
      readFileSync(join(checkout, "package.json"), "utf8"),
    ) as { scripts: Record<string, string> };
    const commands = all(/npm run (?:--silent )?([a-z]+)/g);
    expect(commands).toContain("verify");
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(commands));
    const links = all(/\]\((?!https:)([^)#]+)[^)]*\)/g);
    expect(links).toContain("configuration.md");
    for (const link of links) {
      expect(existsSync(join(checkout, "docs", link)), link).toBe(true);
    }
    for (const key of all(/--secret (\w+) /g)) {
      expect(secretKeys).toContain(key);
    }
  });
});

/** Each value with its path: a name, or a place in a list. */
function leaves(
  value: unknown,
  path: readonly (string | number)[] = [],
): { path: readonly (string | number)[]; value: unknown }[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([name, below]) =>
    leaves(below, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

const written = (path: readonly (string | number)[]) =>
  path
    .map((part) =>
      typeof part === "number" ? `[${String(part)}]` : `.${part}`,
    )
    .join("")
    .slice(1);

describe.each(examples)("%s", (example) => {
  const own = ownKeys(exampleFile(example));
  const filled = filledExample(example, values);

  test("is right once its placeholders are replaced, and to an editor", () => {
    const { problems, warnings } = parseConfig(ownKeys(filled));
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const validate = new Ajv2020({
      strict: false,
      validateFormats: false,
    }).compile(stackFileSchema());
    validate(filled);
    expect(validate.errors).toBeNull();
  });

  test("has the placeholders that messages write, and each that is left is named", () => {
    const placeholders = leaves(own).filter(
      ({ value }) => typeof value === "string" && value.includes("<"),
    );
    // What is somebody's own is never a value that could be taken for theirs.
    expect(placeholders.map(({ path }) => written(path))).toEqual(
      expect.arrayContaining([
        "domain",
        "cloudflare.zoneId",
        "host.address",
        "host.hostKey",
      ]),
    );
    for (const { path, value } of placeholders) {
      const typed = keyAt(keysOf(schema), path)?.value;
      // What a shell is given is in quotes.
      const told =
        typeof typed === "string" ? typed.replaceAll('"', "") : undefined;
      expect(value).toBe(told ?? `<${String(path.at(-1))}>`);
    }
    const { problems } = parseConfig(own);
    expect(
      problems
        .map(({ key, message }) => [key, message.split('" ')[0]])
        .toSorted(),
    ).toEqual(
      placeholders
        .map(({ path, value }) => [written(path), `"${String(value)}`])
        .toSorted(),
    );
  });
});

test("the proxy VM has the ingress only, at Daytona's proxy on the private network", () => {
  const { config } = parseConfig(ownKeys(filledExample("proxy-vm", values)));
  expect(config).toMatchObject({
    access: "daytona",
    upstream: { mode: "daytona", url: "http://10.0.0.2:4000" },
  });
  expect(config?.egress).toBeUndefined();
  expect(config?.host?.runners).toBeUndefined();
});
