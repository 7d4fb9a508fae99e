/** Other rules for the lab's gateway, as the stack would write them into its store. */
import { afterAll, beforeAll, expect } from "vitest";
import { credentialsDocument } from "../../infra/gateway/credentials-document.ts";
import { rulesDocument } from "../../infra/gateway/rules-document.ts";
import { parseEgressRules } from "../../infra/gateway/rules.ts";
import { FIRST_SANDBOX, SECOND_SANDBOX, labExec, sandboxExec } from "./lab.ts";

export const gateway = "169.254.20.1";
const store = "/var/lib/daytona-edge/store";

/** The rules of the request. */
export const request = [
  "https://openrouter.ai/api/v1/*",
  "https://api.anthropic.com/*",
  "https://api.github.com/*",
];

/** Runs a line of shell in the first sandbox, and returns all that it printed. */
export const sandbox = async (command: string): Promise<string> =>
  (await sandboxExec(FIRST_SANDBOX, command)).result;

/** Status that curl got in a sandbox, or what it said instead. */
export const statusOf = async (
  url: string,
  args = "",
  id: string = FIRST_SANDBOX,
): Promise<string> => {
  const command = `curl -sS -o /dev/null --max-time 60 -w '%{http_code}' ${args} '${url}' 2>&1`;
  return (await sandboxExec(id, command)).result;
};

/** Runs a script on the gateway's machine; one that fails is no probe. */
export async function machine(script: string, input = ""): Promise<string> {
  const { stdout, stderr, exitCode } = await labExec(
    "daytona",
    ["sh", "-ec", script],
    { input },
  );
  expect({ script, stderr, exitCode }).toMatchObject({ exitCode: 0 });
  return stdout;
}

/**
 * The gateway's journal from now on.
 * @param options of journalctl, which choose the rows
 * @returns gives what has come so far
 */
export async function journalFromNow(
  ...options: string[]
): Promise<() => Promise<string>> {
  const shown = await machine("journalctl --lines=0 --show-cursor");
  const cursor = /cursor: (\S+)/.exec(shown)?.[1] ?? "";
  return () =>
    machine(
      `journalctl --sync; journalctl --no-pager --output=cat --after-cursor='${cursor}' ${options.join(" ")}`,
    );
}

/** Takes both walls away, and the agent, which would put them back. */
export async function openRoad(): Promise<void> {
  await machine(
    `systemctl stop daytona-gateway-agent
     nft delete table inet daytona_egress
     nft delete table bridge daytona_egress
     # One for each bridge.
     for version in -4 -6; do
       while ip $version rule delete priority 10 2>/dev/null; do :; done
     done`,
  );
}

export async function closeRoad(): Promise<void> {
  await machine(
    "systemctl reload daytona-gateway-firewall; systemctl start daytona-gateway-agent",
  );
}

/** Puts rules in the store and waits until the agent says what they are. */
export async function rule(
  written: readonly unknown[],
  secrets: Readonly<Record<string, string>> = {},
  learn?: { until: string },
): Promise<void> {
  const { rules, problems } = parseEgressRules(written);
  expect(problems).toEqual([]);
  // A rule's secret is there before the rule is, and goes after it.
  const documents: [string, string][] = [
    ["egress-credentials.json", credentialsDocument(secrets)],
    ["egress-rules.json", rulesDocument(rules, learn)],
  ];
  if (Object.keys(secrets).length === 0) documents.reverse();
  await write(...documents);
}

/** Writes documents of the store in turn, and waits until the agent has taken them. */
export async function write(...documents: [string, string][]): Promise<void> {
  await put(...documents);
  await machine(untilTaken(documents.map(([name]) => name).join(" ")));
}

/** Writes the rules alone; an agent that fails halfway never says that it has them. */
export async function putRules(written: readonly unknown[]): Promise<void> {
  const { rules, problems } = parseEgressRules(written);
  expect(problems).toEqual([]);
  await put(["egress-rules.json", rulesDocument(rules)]);
}

async function put(...documents: [string, string][]): Promise<void> {
  await machine(
    `umask 077; cd ${store}
     for file in ${documents.map(([name]) => name).join(" ")}; do
       read -r content
       echo "$content" | base64 -d >$file.new; mv $file.new $file
     done`,
    documents
      .map(([, content]) => `${Buffer.from(content).toString("base64")}\n`)
      .join(""),
  );
}

/** What the agent says is wrong with the rules. */
export async function complaint(): Promise<string | undefined> {
  const text = await machine("cat /run/daytona-gateway/status.json");
  const status = JSON.parse(text) as Record<string, { error?: string }>;
  return status["egress-rules.json"]?.error;
}

/** Shell: waits until the agent says that these files are what it has. */
const untilTaken = (files: string) =>
  `cd ${store}
   for file in ${files}; do
     version=$(sha256sum $file | cut -d ' ' -f 1)
     for _ in $(seq 1200); do
       if grep -q $version /run/daytona-gateway/status.json; then continue 2; fi
       sleep 0.1
     done
     cat /run/daytona-gateway/status.json >&2; exit 1
   done`;

/** The documented command; another authority is to be trusted by it again. */
export async function trustAgain(id: string = FIRST_SANDBOX): Promise<void> {
  const script = `curl -fsS http://gateway.internal/install-ca.sh | sh`;
  expect((await sandboxExec(id, script)).result).toContain("trusts");
}

/**
 * Begins with the rules of the request, which need no secret, and brings the
 * stack's own ones back when the suite is done.
 */
export function keepRules(): void {
  // Byte for byte what was installed, or a next install would differ.
  let bundled: string;
  beforeAll(async () => {
    bundled = await machine(`cd ${store}; tar -c egress-*.json | base64 -w 0`);
    await rule(request);
  });
  afterAll(async () => {
    await machine(
      `base64 -d | tar -x -C ${store}
       ${untilTaken("egress-credentials.json egress-rules.json")}`,
      bundled,
    );
    await Promise.all(
      [FIRST_SANDBOX, SECOND_SANDBOX].map((id) => trustAgain(id)),
    );
  });
}
