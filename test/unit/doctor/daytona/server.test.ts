/** What server.sh printed on a server of the lab, and what is read of it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { linesOf } from "../../../../scripts/doctor/daytona/reach.ts";
import {
  serverScript,
  serverSeen,
} from "../../../../scripts/doctor/daytona/server.ts";

const recorded = readFileSync(join(import.meta.dirname, "server.tsv"), "utf8");
const works = { exitCode: 0, connected: true, secured: true };

test("no value moves the reader's cursor", () => {
  const { first } = linesOf("sandbox.resolv\t# \u001b[2J\u009b1A\tfine\r\n");
  expect(first("sandbox.resolv")).toBe("# [2J1A\tfine");
});

describe("what a sandbox chooses", () => {
  const target = { name: "api.github.com", address: "192.0.2.1" };
  /** Calls a function of the script in place of all of them. */
  const call = (...words: string[]) =>
    execFileSync(
      "sh",
      [
        "-c",
        `${serverScript(target).replace(/\nmain\s*$/, "")}\n"$@"`,
        ...["server", ...words],
      ],
      { encoding: "utf8" },
    );
  const sandbox = "83792513-cd9e-428f-99c0-63c63bc7739c";

  test("its image makes it no runner", () => {
    const image = "registry:6000/daytona-runner:1";
    expect(call("service_of", image, "", "0", "box-runner-1")).toBe("runner\n");
    expect(call("service_of", image, "runner", "0", sandbox)).toBe("");
    expect(call("service_of", image, "runner", "0", "--privileged")).toBe("");
    expect(call("service_of", image, "runner", "0", "a b")).toBe("");
  });

  test("a label is a plain word, or none", () => {
    expect(call("plain", '"runner"')).toBe("runner\n");
    expect(call("plain", '"x\\n0|--env-file"')).toBe("");
  });

  test("what it says is one line", () => {
    expect(call("say", "sandbox.daemon", "x\nrunner.rule\ty")).toBe(
      "sandbox.daemon\tx runner.rule\ty\n",
    );
  });
});

describe("serverSeen", () => {
  const seen = serverSeen(recorded);

  test("the server", () => {
    expect(seen).toMatchObject({
      isRoot: true,
      docker: { value: "26.1.5+dfsg1" },
      host: {
        byAddress: works,
        byName: works,
        asConfigured: works,
        lookup: { exitCode: 0, found: "203.0.113.12" },
      },
      listeners: [
        "3000 docker-proxy",
        "3003 docker-proxy",
        "4000 docker-proxy",
      ],
      config: { version: "v0.190.0" },
      proxyVersion: "v0.190.0",
    });
    expect(seen.host.routes[0]).toEqual({
      interface: "host0",
      to: "0.0.0.0/0",
      gateway: "198.18.0.2",
    });
  });

  test("its runner, and the sandbox in it", () => {
    expect(seen.runner).toMatchObject({
      name: "daytona-runner-1",
      isContainer: true,
      domain: "runner",
      network: { byAddress: works, byName: works, asConfigured: works },
      rules: { forwarding: true, iptables: "iptables v1.8.11 (nf_tables)" },
      sandbox: {
        state: "running",
        address: "172.20.0.3",
        networks: ["runner-bridge"],
        daemon: { value: '{"version":"v0.190.0"}' },
      },
    });
  });

  test("a script that was ended in its middle still says what it had seen", () => {
    const half = recorded.slice(0, recorded.indexOf("runner.name"));
    expect(serverSeen(half)).toMatchObject({
      docker: { value: "26.1.5+dfsg1" },
    });
    expect(serverSeen("")).toMatchObject({ docker: { error: "no answer" } });
  });
});

test("the script holds its variables as words", () => {
  const target = { name: "api.github.com", address: "140.82.121.6" };
  expect(serverScript(target, "it's")).toContain(String.raw`sandbox='it'\''s'`);
});
