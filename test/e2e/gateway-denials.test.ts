/**
 * Each kind of refusal is one row, with the sandbox's address, and can be asked for.
 *
 * @module-tag gateway
 */
import { expect, test } from "vitest";
import type { DenialGroup } from "../../scripts/egress/denials.ts";
import { gateway, sandbox } from "./gateway-rules.ts";
import { runInSandbox } from "./gateway-sandbox-program.ts";
import { script } from "./lab.ts";

const mark = crypto.randomUUID().slice(0, 8);

async function denials(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await script("egress.ts", [
    "denials",
    // All names are of this run.
    "--since=30m",
    ...args,
  ]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return stdout;
}

test("what a sandbox wanted and did not get, by whom and why", async () => {
  const port = 20_000 + (parseInt(mark, 16) % 40_000);
  const own = (await sandbox("hostname -I")).split(" ")[0];
  await sandbox(
    `for i in 1 2; do dig +time=60 +tries=1 ${mark}.example.org; done
     curl -sS -k --resolve ${mark}.example.com:443:${gateway} https://${mark}.example.com/
     curl -sS https://openrouter.ai/${mark}
     curl -sS --max-time 60 http://203.0.113.77:${String(port)}/`,
  );
  const found = async () =>
    (await denials("--json"))
      .split("\n")
      .map((line) => JSON.parse(line) as DenialGroup)
      .filter(
        ({ wanted }) => wanted.includes(mark) || wanted.endsWith(String(port)),
      )
      .map(({ sandbox: address, count, by, reason, rule }) => [
        ...[address, count, by, reason, rule],
      ]);
  await expect.poll(found).toEqual(
    expect.arrayContaining([
      [own, 2, "resolver", "name_not_allowed", ""],
      [own, 1, "proxy", "host_not_allowed", ""],
      [own, 1, "proxy", "path_not_allowed", "https://openrouter.ai/api/v1/*"],
      [own, 1, "firewall", "address_not_allowed", ""],
    ]),
  );
  expect(await found()).toHaveLength(4);
  const table = await denials();
  expect(table).toContain(`GET openrouter.ai/${mark}`);
  expect(await denials("--sandbox=192.0.2.1")).toContain("Nothing was refused");
});

test("bytes that are no text, or many to escape, hide no refusal", async () => {
  const asked = await runInSandbox<number[]>(
    "gateway-bytes.ts",
    ...[`raw-${mark}`, "openrouter.ai", "example.org"],
  );
  expect(asked).toEqual([403, 403]);
  await sandbox(
    `curl -sS --path-as-is 'https://openrouter.ai/raw-${mark}${'"'.repeat(1_500)}'
     curl -sS 'https://openrouter.ai/raw-${mark}?share=100%'`,
  );
  const found = async () =>
    (await denials("--json"))
      .split("\n")
      .map((line) => JSON.parse(line) as DenialGroup)
      .filter(({ wanted }) => wanted.includes(`raw-${mark}`))
      .map(({ wanted, reason }) => `${reason} ${wanted.replace(/"+$/, '"')}`)
      .toSorted();
  await expect
    .poll(found)
    .toEqual([
      `host_mismatch GET example.org/raw-${mark}?`,
      `path_not_allowed GET openrouter.ai/raw-${mark}"`,
      `path_not_canonical GET openrouter.ai/raw-${mark}`,
      `path_not_canonical GET openrouter.ai/raw-${mark}?`,
    ]);
});

test("a flood of questions is answered in part, and has a row", async () => {
  const name = `${mark}.flood.example.org`;
  const answered = await runInSandbox<number>("dns-flood.ts", gateway, name);
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThan(5_000);
  await expect
    .poll(async () =>
      (await denials("--json"))
        .split("\n")
        .map((line) => JSON.parse(line) as DenialGroup),
    )
    .toContainEqual(
      expect.objectContaining({ wanted: `${name} A`, reason: "rate_limit" }),
    );
});

test("what a sandbox sends cannot write on the operator's terminal", async () => {
  await sandbox(
    `curl -sS --http1.1 --request-target "/$(printf '${mark}\\033[31m')" https://openrouter.ai/
     curl -sS https://openrouter.ai/${mark}/last`,
  );
  // Rows come in the order of their requests.
  await expect.poll(() => denials()).toContain(`${mark}/last`);
  const table = await denials();
  expect(table).toContain(mark);
  // eslint-disable-next-line no-control-regex
  expect(table.replaceAll(/\n/g, "")).not.toMatch(/[\x00-\x1f\x7f]/);
});
