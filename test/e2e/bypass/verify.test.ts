/**
 * `npm run verify -- --bypass`: green on the lab, red where a way is open.
 *
 * @module-tag gateway
 */
import { expect, test } from "vitest";
import { keepRules, machine, request, rule } from "../gateway-rules.ts";
import { script } from "../lab.ts";

interface Report {
  readonly ok: boolean;
  readonly results: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly got: string;
  }[];
}

async function bypass(...rows: string[]) {
  const args = ["--bypass", ...rows, "--json"];
  const { stdout, stderr, exitCode } = await script("verify.ts", args);
  expect(stdout, stderr).not.toBe("");
  const { ok, results } = JSON.parse(stdout) as Report;
  const failed = results.filter((result) => !result.ok);
  return { ok, exitCode, failed, tried: results.length };
}

keepRules();

test(
  "every row holds, and what is allowed is answered",
  { timeout: 1_200_000 },
  async () => {
    const { failed, tried, ...rest } = await bypass();
    expect(failed).toEqual([]);
    expect(rest).toEqual({ ok: true, exitCode: 0 });
    expect(tried).toBeGreaterThan(30);
  },
);

test("a firewall with a hole is found out", async () => {
  const chain = "inet daytona_egress through_this_machine";
  const handle = /# handle (\d+)/.exec(
    await machine(
      `nft -ae insert rule ${chain} ip daddr 203.0.113.20 tcp dport 443 accept`,
    ),
  )?.[1];
  try {
    const { ok, exitCode, failed } = await bypass("6");
    expect(failed.map(({ name }) => name)).toEqual([
      " 6 an allowed name at an attacker's address",
    ]);
    expect({ ok, exitCode }).toEqual({ ok: false, exitCode: 1 });
  } finally {
    await machine(`nft delete rule ${chain} handle ${handle ?? ""}`);
  }
});

test("a rule that the stack does not have is found out", async () => {
  await rule([...request, "https://example.org/*"]);
  try {
    const { ok, exitCode, failed } = await bypass("1");
    expect(failed.map(({ name }) => name)).toContain(
      " 1 no proxy in the environment",
    );
    expect({ ok, exitCode }).toEqual({ ok: false, exitCode: 1 });
  } finally {
    await rule(request);
  }
});

test("a gateway that says nothing of it is found out", async () => {
  await machine("systemctl stop daytona-gateway-log");
  try {
    const { failed } = await bypass("6");
    expect(failed).toEqual([
      expect.objectContaining({
        got: "refused, but not in the gateway's log: firewall 203.0.113.20 tcp 443 ",
      }),
    ]);
  } finally {
    await machine("systemctl start daytona-gateway-log");
  }
});

test("a row that there is not is named", async () => {
  const { stderr, exitCode } = await script("verify.ts", ["--bypass", "99"]);
  expect(stderr).toContain("--bypass 99: not among the rows");
  expect(exitCode).toBe(1);
});
