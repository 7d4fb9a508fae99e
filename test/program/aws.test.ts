/** What production is made of, and what a change of it touches. */
import { afterEach, beforeEach, expect, test } from "vitest";
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

test("once up, nothing changes, and the state shows no secret", async () => {
  await using stack = await prod.open();
  await stack.up();
  expect((await stack.up()).changed).toBe(false);
  expect(prod.state().text).not.toContain(prod.cloudflare.token);
});
