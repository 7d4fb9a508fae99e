/** What production is made of, and what a change of it touches. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readOutputs } from "../../client/index.ts";
import { type Resource, nameOf } from "../../scripts/toolchain/engine-state.ts";
import { type Production, production } from "./production.ts";

let prod: Production;

beforeEach(async () => {
  prod = await production();
});
afterEach(() => {
  prod.remove();
});

test("a preview plans it, and does nothing", async () => {
  await using stack = await prod.open();
  const started = performance.now();
  const { changes } = await stack.preview();
  console.log(
    `preview: ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  expect(changes).toEqual({ create: expect.any(Number) as unknown });
  expect(prod.cloudflare.records.list()).toEqual([]);
});

test("its resources, their parents and what guards them, as a person has read them", async () => {
  await using stack = await prod.open();
  await stack.up();
  expect((await stack.preview()).touched).toEqual({});
  const { text, resources } = prod.state();
  expect(text).not.toContain(prod.cloudflare.token);
  await expect(tree(resources)).toMatchFileSnapshot("aws-resources.txt");
  expect(readOutputs(await stack.outputs({ showSecrets: true }))).toMatchObject(
    {
      domain: "sandbox.daytona.defikit.net",
      access: { mode: "daytona" },
      egress: {
        rules: [
          "https://openrouter.ai/api/v1/*",
          "https://api.anthropic.com/*",
          "https://api.github.com/*",
        ],
      },
    },
  );
});

test("what must outlive a mistake is not destroyed", async () => {
  await using stack = await prod.open();
  await stack.up();
  await expect(stack.destroy()).rejects.toThrow(/aws-edge-balancer/);
  expect(prod.state().resources.length).toBeGreaterThan(100);
});

/** Lines of names, each below its parent. */
function tree(resources: readonly Resource[]): string {
  const below = (parent: string | undefined, indent: string): string[] =>
    resources
      .filter((it) => it.parent === parent && !it.type.includes("providers:"))
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .flatMap((it) => {
        const guards = [
          ...(it.protect ? ["protected"] : []),
          ...(it.retainOnDelete ? ["retained"] : []),
        ];
        const guarded = guards.length > 0 ? ` (${guards.join(", ")})` : "";
        return [
          `${indent}${nameOf(it)}: ${it.type}${guarded}`,
          ...below(it.urn, `${indent}  `),
        ];
      });
  return `${below(undefined, "").join("\n")}\n`;
}

describe("a change touches what it must, and nothing else", () => {
  const aws = { region: "eu-central-1" };
  const allow = [
    "https://openrouter.ai/api/v1/*",
    "https://api.anthropic.com/*",
    "https://api.github.com/*",
  ];
  test.each<[string, Record<string, unknown>, Record<string, string>]>([
    [
      "a rule more for a host that is listed",
      { egress: { allow: [...allow, "https://openrouter.ai/api/beta"] } },
      { "aws-gateway-rules-content": "replace" },
    ],
    [
      "another host",
      { egress: { allow: [...allow, "https://example.org/*"] } },
      {
        "aws-gateway-rules-content": "replace",
        "aws-gateway-names-example.org": "create",
        "aws-gateway-names-example.org-a": "create",
        "aws-gateway-names-listed": "update",
      },
    ],
    [
      "another host that is inspected",
      { egress: { allow: [...allow, "https://example.org/open/*"] } },
      {
        "aws-gateway-authority-made": "replace",
        "aws-gateway-authority-make-schedule": "update",
        "aws-gateway-rules-content": "replace",
        "aws-gateway-names-example.org": "create",
        "aws-gateway-names-example.org-a": "create",
        "aws-gateway-names-listed": "update",
        "daytona-edge-prod": "update",
      },
    ],
    [
      "more edges",
      { aws: { ...aws, edge: { maximum: 12 } } },
      { "aws-edge-machines-group": "update" },
    ],
    [
      "another limit: other edges, one after the other",
      { limits: { clientRequests: 77 } },
      {
        "aws-edge-machines-bundle": "replace",
        "aws-edge-machines-policy": "update",
        "aws-edge-machines-template": "update",
        "aws-edge-machines-group": "update",
      },
    ],
    [
      "somebody else is woken",
      { aws: { ...aws, alarmEmails: ["ops@defikit.net"] } },
      { "aws-alarms-email-0": "create" },
    ],
    [
      "Daytona's proxy moves",
      { upstream: { mode: "daytona", url: "http://10.81.0.11:4000" } },
      {
        "aws-edge-machines-bundle": "replace",
        "aws-edge-machines-policy": "update",
        "aws-edge-machines-template": "update",
        "aws-edge-machines-group": "update",
        "aws-edge-machines-to-daytona": "update",
      },
    ],
  ])("%s", async (_, change, touched) => {
    await using stack = await prod.open();
    await stack.up();
    prod.configure(
      Object.fromEntries(
        Object.entries(change).map(([key, value]) => [
          `daytona-edge:${key}`,
          value,
        ]),
      ),
    );
    expect((await stack.preview()).touched).toEqual(touched);
  });
});

test("without what only LumiLink knows: the lines to type, all at once", async () => {
  prod.configure({
    "daytona-edge:cloudflare": undefined,
    "daytona-edge:upstream": undefined,
  });
  await using stack = await prod.open();
  const failure = await stack
    .preview()
    .catch((error: unknown) => String(error));
  expect(failure).toContain(
    [
      "Pulumi.prod.yaml: 2 problems",
      "  daytona-edge:cloudflare  missing;",
    ].join("\n"),
  );
});
