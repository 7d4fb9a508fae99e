/** docs/errors.md has every code of both contracts, with its status. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorCodes } from "../../../infra/edge/error-bodies.ts";
import { checkout } from "../../../scripts/checkout.ts";

const read = (path: string) => readFileSync(join(checkout, path), "utf8");

test("docs/errors.md has every code, with its status, and no other", () => {
  const written = read("docs/errors.md").matchAll(/^\| `(\w+)` +\| (\d+) /gm);
  const gateway = read("infra/gateway/haproxy.cfg").matchAll(
    /^ *http-error status (\d+) .*"code":"(\w+)"/gm,
  );
  expect(
    [...written].map(([, code, status]) => [code, Number(status)]),
  ).toEqual([
    ...Object.entries(errorCodes),
    ...[...gateway].map(([, status, code]) => [code, Number(status)]),
  ]);
});
