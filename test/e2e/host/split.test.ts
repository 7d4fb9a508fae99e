/**
 * The edge on one server, and two that sandboxes run on, each with a gateway.
 *
 * @module-tag surroundings
 * @module-tag certificate
 * @module-tag edge
 * @module-tag gateway
 * @module-tag host
 */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parse, stringify } from "yaml";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import { FIRST_SANDBOX, inLab, labCurl, labExec } from "../lab.ts";
import { removeNames } from "./names.ts";
import { sandboxesOf, trustAuthority } from "./sandboxes.ts";
import { hostSettings } from "./stack-file.ts";
import { toolsFor } from "./tools.ts";

// An up installs all three, and may have half a core to do so.
vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const edge = "server-edge";
const runners = ["server-two", "server-three"] as const;
const domain = "split.daytona.defikit.net";
const servers = [edge, ...runners];
const workDir = mkdtempSync(join(tmpdir(), "daytona-edge-split-"));
const run = (program: string, ...args: string[]) =>
  inLab([process.execPath, join(import.meta.dirname, program), ...args], {
    env: { HOST_DOMAIN: domain },
  });
const settings = [
  `host=${JSON.stringify({
    ...hostSettings(edge),
    runners: [
      hostSettings("server-two"),
      // Nobody else may log in there.
      { ...hostSettings("server-three"), jump: hostSettings(edge) },
    ],
  })}`,
  `upstream=${JSON.stringify(upstreamAt("server-two"))}`,
];

function upstreamAt(runner: (typeof runners)[number]) {
  const { ipv4 } = daytonaMachines[runner];
  return { mode: "daytona", url: `http://${ipv4}:4000` };
}

beforeAll(async () => {
  await removeNames(domain);
  expect((await run("server.ts", "boot", ...servers)).stderr).toBe("");
  await labExec(edge, ["systemctl", "disable", "--now", "daytona.service"]);
  const onlyByJump = `nft 'table inet lab { chain input { type filter hook input priority 0; tcp dport 22 ip saddr != ${daytonaMachines[edge].ipv4} drop; }; }'`;
  await labExec("server-three", ["sh", "-c", onlyByJump]);
});

afterAll(async () => {
  await run("server.ts", "remove", ...servers);
  rmSync(workDir, { recursive: true });
});

test("one up makes all three", async () => {
  const { stdout, stderr } = await run("stack.ts", "up", workDir, ...settings);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({
    outputs: { edge: { ipv4: daytonaMachines[edge].ipv4 } },
  });
  const { outputs } = JSON.parse(stdout) as {
    outputs: { egress: { caCertificate: string } };
  };
  // Each gateway signs with its own.
  expect(outputs.egress.caCertificate.match(/BEGIN CERTIFICATE/g)).toHaveLength(
    2,
  );
  const again = await run("stack.ts", "up", workDir, ...settings);
  expect(JSON.parse(again.stdout)).toMatchObject({ changed: false });
});

test("the road in leads through the edge to Daytona's proxy, and no other way", async () => {
  const { stdout } = await labCurl([
    ...["-o", "/dev/null", "-w", "%{http_code}"],
    `https://${FIRST_SANDBOX}-3000.${domain}/headers`,
  ]);
  expect(stdout).toBe("200");
  const { exitCode } = await labCurl([
    ...["-m", "2", "-o", "/dev/null"],
    `http://${daytonaMachines["server-two"].ipv4}:4000/`,
  ]);
  expect(exitCode).toBe(28);
});

test.each(runners)(
  "on %s the road out leads to what is listed",
  async (machine) => {
    const { inSandbox, allowedStatus } = sandboxesOf(machine, domain);
    expect((await inSandbox(trustAuthority)).exitCode).toBe(0);
    expect(await allowedStatus()).toBe("200");
  },
);

test("and from the second by no known way to anything else", async () => {
  // Each has a Daytona of its own here; the tools ask the second one's.
  const [, second] = runners;
  const file = readFileSync(join(workDir, "Pulumi.host.yaml"), "utf8");
  const { config } = parse(file) as { config: Record<string, unknown> };
  config["daytona-edge:upstream"] = upstreamAt(second);
  const directory = join(workDir, "second");
  mkdirSync(directory);
  writeFileSync(
    join(directory, "Pulumi.host.yaml"),
    stringify({ config }, { compat: "yaml-1.1" }),
  );
  const { tried, failed } = await toolsFor(directory).verify("--bypass");
  expect(failed).toEqual([]);
  expect(tried).toBeGreaterThan(25);
});

test("all that stands on all of them is as it was installed", async () => {
  const { doctor } = toolsFor(workDir);
  const { rows } = await doctor();
  expect(rows.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      `${daytonaMachines[edge].ipv4}: edge`,
      ...runners.map((runner) => `${daytonaMachines[runner].ipv4}: gateway`),
    ]),
  );
  // A name server that a busy computer keeps waiting is a row, too.
  await expect
    .poll(async () => (await doctor()).wanting, { interval: 1_000 })
    .toEqual([]);
});

test("destroy leaves nothing on any of them", async () => {
  const { stderr } = await run("stack.ts", "destroy", workDir, ...settings);
  expect(stderr).toBe("");
  for (const server of servers) {
    const { stdout } = await labExec(server, [
      "sh",
      "-c",
      "nft list tables | grep daytona_ ; systemctl list-unit-files --no-legend 'daytona-[egcs]*'; ls -d /var/lib/daytona-edge /etc/daytona-edge /usr/local/lib/daytona-edge 2>/dev/null",
    ]);
    expect([server, stdout]).toEqual([server, ""]);
  }
});
