/** What a person reads. */
import { describe, expect, test } from "vitest";
import { plan } from "../../../../scripts/doctor/daytona/doctor.ts";
import {
  asJson,
  asText,
  findings,
} from "../../../../scripts/doctor/daytona/report.ts";
import { byKey, bySsh, noTcp } from "./seen.ts";

describe("asText", () => {
  test("a cause: what was found, what to type, what this stack changes", () => {
    const { toolbox } = byKey();
    const text = asText(
      findings(
        byKey({
          toolbox: {
            ...(toolbox ?? { way: "proxy", byProxy: { error: "" } }),
            shell: {
              value: {
                exitCode: 0,
                result: "first > /dev/null && echo second",
              },
            },
          },
        }),
      ),
    );
    expect(text).toContain("✗ 1: old daemon: commands run without a shell");
    expect(text).toContain(
      `found: "echo first > /dev/null && echo second" gives {"exitCode":0,"result":"first > /dev/null && echo second"}`,
    );
    expect(text).toMatch(/fix: +wrap each command/);
    expect(text.split("\n").at(-1)).toMatch(
      /^It is: old daemon.*\(1\)\. What daytona-edge changes about it: 1: /,
    );
  });

  test("a login that fails is said beside what is known without it", () => {
    const seen = byKey({ server: { error: "Host key verification failed." } });
    const found = findings(seen);
    expect(found.ok).toBe(false);
    expect(asText(found)).toContain(
      "The server could not be looked at (Host key verification failed.).",
    );
  });

  test("all is well", () => {
    const found = findings({ ...byKey(), server: bySsh().server! });
    expect(found.ok).toBe(true);
    expect(found.summary).toBe(
      "No cause is named: what was asked is as it should be.",
    );
  });

  test("nothing is named, and something was not found out", () => {
    const seen = byKey();
    const found = findings({
      ...seen,
      sandbox: { error: "no answer in time" },
    });
    expect(found.summary).toContain("could not be asked: sandbox: network");
    const silent = findings(
      byKey({
        sandbox: {
          value: { ...bySsh({}, noTcp).sandbox!.value!, by: "toolbox" },
        },
      }),
    );
    expect(silent.summary).toContain(
      "Sandboxes do not reach api.github.com (no TCP)",
    );
    expect(silent.summary).toContain("--ssh root@SERVER");
  });
});

test("asJson holds the observations, for reports of errors", () => {
  expect(JSON.parse(asJson(byKey()))).toMatchObject({
    ok: true,
    observations: { asked: { hasKey: true } },
  });
});

test("the plan names what is logged in to, and not the key", () => {
  const said = plan({
    api: "https://daytona.example.net",
    key: "dtn_secret",
    ssh: "root@203.0.113.7",
    target: "api.github.com",
  });
  expect(said).toContain("logs in to root@203.0.113.7");
  expect(said).toContain("https://daytona.example.net/api");
  expect(said).not.toContain("dtn_secret");
});
