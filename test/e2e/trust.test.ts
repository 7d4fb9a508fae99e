/**
 * Every runtime that agents call out with, sent through an inspected host: it
 * refuses the answer as long as its sandbox does not trust the gateway, and
 * takes it afterwards, in each of the ways that README gives.
 *
 * @module-tag gateway
 */
import Table from "cli-table3";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type SandboxEnvironment,
  type StackOutputs,
  readOutputs,
  sandboxEnvironment,
} from "../../client/index.ts";
import { checkout } from "../../scripts/checkout.ts";
import { shellCommand } from "../../scripts/lab/daytona/shell-command.ts";
import {
  gateway,
  keepRules,
  machine,
  request,
  rule,
  sandbox as firstSandbox,
} from "./gateway-rules.ts";
import { lab, sandboxExec, script } from "./lab.ts";
import { removeSandbox } from "./own-sandbox.ts";
import { ensureTrustSnapshot } from "./trust-image.ts";

const readme = readFileSync(join(checkout, "README.md"), "utf8");
const [, scriptLine = ""] = /```sh\n(.*)\n```/.exec(readme) ?? [];
const [, dockerLines = ""] = /```dockerfile\n([^]*?)```/.exec(readme) ?? [];

const host = "https://openrouter.ai/api/v1";
const profile = "/etc/profile.d/daytona-egress.sh";
const bundle = "/etc/ssl/certs/ca-certificates.crt";

interface Client {
  readonly run: (url: string) => string;
  /** What it says when it does not trust who answers. */
  readonly distrust: RegExp;
}

/** With the authorities that pip would bring, not the system's. */
const python = (program: string) => (url: string) =>
  `PYTHONPATH=/opt/trust/python python3 -c ${shellCommand([program])} ${url}`;

const clients: Record<string, Client> = {
  curl: {
    run: (url) => `curl -sS ${url}`,
    distrust: /SSL certificate problem/,
  },
  wget: {
    run: (url) => `wget -nv -O- ${url}`,
    distrust: /certificate of .* is not trusted/,
  },
  git: {
    run: () => `git ls-remote ${host}/lab/repository.git`,
    distrust: /certificate signer not trusted/,
  },
  "Node fetch": {
    run: (url) =>
      `node -e ${shellCommand(["fetch(process.argv[1]).then(a => a.text()).then(console.log)"])} ${url}`,
    distrust: /UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT_LOCALLY)/,
  },
  "Python urllib": {
    run: python(
      "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())",
    ),
    distrust: /CERTIFICATE_VERIFY_FAILED/,
  },
  "Python requests": {
    run: python("import sys, requests; print(requests.get(sys.argv[1]).text)"),
    distrust: /CERTIFICATE_VERIFY_FAILED/,
  },
  "Python httpx": {
    run: python(
      "import sys, httpx; print(httpx.get(sys.argv[1], timeout=60).text)",
    ),
    distrust: /CERTIFICATE_VERIFY_FAILED/,
  },
  Go: {
    run: (url) => `/opt/trust/go-client ${url}`,
    distrust: /certificate signed by unknown authority/,
  },
  Java: {
    run: (url) => `java -cp /opt/trust Client ${url}`,
    distrust: /PKIX path building failed/,
  },
};

/** A sandbox that trusts in one of the ways, and how a command gets its variables. */
interface Trusting {
  readonly id: string;
  readonly variables: string;
}

let snapshot: string;
let untrusting: Trusting;
const trusting: Record<string, Trusting> = {};
const made: string[] = [];
const table: Record<string, Record<string, string>> = {};

async function add(env: Readonly<Record<string, string>> = {}) {
  const variables = Object.entries({ ...env, GATEWAY_TRUST: "none" });
  const { stdout, stderr } = await lab([
    "sandbox",
    "add",
    `--snapshot=${snapshot}`,
    ...variables.map(([name, value]) => `--env=${name}=${value}`),
  ]);
  expect(stderr).toBe("");
  const id = stdout.trim();
  made.push(id);
  return id;
}

/** Runs a line that must succeed. */
async function done(id: string, line: string): Promise<string> {
  const outcome = await sandboxExec(id, line);
  expect({ line, ...outcome }).toMatchObject({ exitCode: 0 });
  return outcome.result;
}

/** Uploads and runs what `daytona-edge/client` says. */
async function prepare(
  id: string,
  { files, commands }: SandboxEnvironment,
): Promise<void> {
  for (const { path, content } of files) {
    const word = shellCommand([content]);
    await done(id, `mkdir -p $(dirname ${path}); printf %s ${word} >${path}`);
  }
  for (const command of commands) await done(id, command);
}

async function outputs(): Promise<StackOutputs> {
  const { stdout } = await script("outputs.ts", ["--show-secrets"]);
  return readOutputs(stdout);
}

/** The same for a snapshot that holds an earlier authority than the outputs. */
async function prepareAnew(id: string): Promise<void> {
  const { egress, ...others } = await outputs();
  const caCertificate = await firstSandbox(`curl -fsS ${gateway}/ca.pem`);
  const now = egress ? { egress: { ...egress, caCertificate } } : {};
  await prepare(id, sandboxEnvironment({ ...others, ...now }));
}

async function atCreation(): Promise<Trusting> {
  const environment = sandboxEnvironment(await outputs());
  const id = await add(environment.env);
  await prepare(id, environment);
  return { id, variables: "" };
}

async function byScript(): Promise<Trusting> {
  const id = await add();
  // As a JDK from elsewhere has it, whose store nobody but keytool fills.
  await done(
    id,
    "cd $(readlink -f /usr/lib/jvm/default-java)/lib/security; cp --remove-destination $(readlink -f cacerts) cacerts",
  );
  await done(id, scriptLine);
  return { id, variables: `. ${profile}` };
}

/** Carries out the lines of a Dockerfile, as a build would in such an image. */
async function bySnapshot(): Promise<Trusting> {
  const certificate = (await outputs()).egress?.caCertificate ?? "";
  const id = await add();
  let variables = "";
  for (const line of dockerLines.trim().split("\n")) {
    const [, instruction, rest = ""] = /^(COPY|RUN|ENV) (.+)$/.exec(line) ?? [];
    if (instruction === "COPY") {
      const [source = "", target = ""] = rest.split(" ");
      const word = shellCommand([certificate]);
      await done(id, `printf %s ${word} >${target}${source}`);
    } else if (instruction === "RUN") await done(id, rest);
    else if (instruction === "ENV") variables += `export ${rest}\n`;
    else throw new Error(`not known here: ${line}`);
  }
  return { id, variables };
}

type Outcome = Awaited<ReturnType<typeof sandboxExec>>;

/** Lets clients ask, one after the other, in one call of the toolbox. */
async function ask(
  { id, variables }: Trusting,
  names: readonly string[] = Object.keys(clients),
  url = `${host}/models`,
): Promise<Map<string, Outcome>> {
  const lines = names.map(
    (name) => `( ${clients[name]?.run(url) ?? "false"} ) 2>&1; echo "@exit $?"`,
  );
  const said = await done(id, `${variables}\n${lines.join("\n")}`);
  const outcomes = said.split(/@exit (\d+)\n?/);
  return new Map(
    names.map((name, index) => [
      name,
      {
        result: outcomes[2 * index] ?? "",
        exitCode: Number(outcomes[2 * index + 1]),
      },
    ]),
  );
}

/** The host's own answer, or that of its git repository. */
const answered = {
  exitCode: 0,
  result: expect.stringMatching(
    /anthropic\/claude|refs\/heads\/main/,
  ) as string,
};

async function allAnswered(it: Trusting): Promise<void> {
  expect(Object.fromEntries(await ask(it))).toEqual(
    Object.fromEntries(Object.keys(clients).map((name) => [name, answered])),
  );
}

/** @returns how the client said that it does not trust who answers */
function distrust(client: string, outcome: Outcome | undefined): string {
  const said = clients[client]?.distrust ?? /^$/;
  expect(outcome?.exitCode).not.toBe(0);
  expect(outcome?.result).toMatch(said);
  return said.exec(outcome?.result ?? "")?.[0] ?? "";
}

keepRules();
const asked: Record<string, Map<string, Outcome>> = {};
beforeAll(async () => {
  snapshot = await ensureTrustSnapshot();
  untrusting = { id: await add(), variables: "" };
  trusting.creation = await atCreation();
  trusting.script = await byScript();
  trusting.snapshot = await bySnapshot();
  for (const [way, sandbox] of Object.entries({ untrusting, ...trusting })) {
    asked[way] = await ask(sandbox);
  }
}, 1_800_000);
afterAll(async () => {
  const ways = ["untrusting", ...Object.keys(trusting)];
  const printed = new Table({ head: ["", ...ways] });
  for (const client of Object.keys(clients)) {
    printed.push([client, ...ways.map((way) => table[client]?.[way] ?? "–")]);
  }
  console.log(printed.toString());
  for (const id of made) await removeSandbox(id);
});

describe.each(Object.keys(clients))("%s", (client) => {
  const row: Record<string, string> = {};
  table[client] = row;

  test("refuses an inspected host that it does not trust", () => {
    row.untrusting = distrust(client, asked.untrusting?.get(client));
  });

  test.each(["creation", "script", "snapshot"])("trusts by %s", (way) => {
    row[way] = "failed";
    expect(asked[way]?.get(client)).toEqual(answered);
    row[way] = "answered";
  });
});

describe("the script", () => {
  const state = async ({ id }: Trusting) =>
    done(
      id,
      `sha256sum ${bundle} ${profile} /usr/local/share/ca-certificates/*
       find /etc/ssl/certs -printf '%p %l\\n' | sort | sha256sum
       keytool -list -cacerts -storepass changeit | grep -c trustedCertEntry
       keytool -list -cacerts -storepass changeit | grep -A1 daytona | sed 's/, [A-Z].*, / /'`,
    );
  /** The gateway's authorities in a sandbox's bundle, by their names. */
  const inBundle = async ({ id }: Trusting) =>
    (
      await done(
        id,
        `openssl crl2pkcs7 -nocrl -certfile ${bundle} | openssl pkcs7 -print_certs -noout`,
      )
    )
      .split("\n")
      .filter((line) => line.startsWith("subject=CN=daytona-edge egress CA"));

  test("changes nothing when it is run again", async () => {
    const { script: it } = trusting as { script: Trusting };
    const before = await state(it);
    await done(it.id, scriptLine);
    expect(await state(it)).toBe(before);
    expect(await inBundle(it)).toHaveLength(1);
  });

  test(
    "brings a new inspected host; who does not run it loses nothing",
    { timeout: 1_200_000 },
    async () => {
      const { script: again, snapshot: baked } = trusting as Record<
        "script" | "snapshot",
        Trusting
      >;
      const elsewhere = "https://example.org/";
      await rule([...request, { url: `${elsewhere}*`, inspect: true }]);
      await allAnswered(baked);
      const curl = (await ask(baked, ["curl"], elsewhere)).get("curl");
      expect(curl?.result).toMatch(/permitted subtree violation/);
      await done(again.id, scriptLine);
      // A sandbox made of a snapshot that holds the earlier authority.
      await prepareAnew(baked.id);
      for (const it of [again, baked]) {
        await allAnswered(it);
        for (const [client, outcome] of await ask(it, undefined, elsewhere)) {
          expect({ client, ...outcome }).toMatchObject({ exitCode: 0 });
        }
        expect(await inBundle(it)).toHaveLength(1);
      }
    },
  );

  test(
    "puts the authority of another key in the place of the old one",
    { timeout: 1_200_000 },
    async () => {
      const {
        script: again,
        creation: other,
        snapshot: baked,
      } = trusting as Record<"script" | "creation" | "snapshot", Trusting>;
      const key = "/var/lib/daytona-edge/gateway/ca-and-key.pem";
      const old = await inBundle(again);
      await machine(`mv ${key} ${key}.kept`);
      try {
        await rule([...request, "https://example.org/*"]);
        for (const [client, outcome] of await ask(again)) {
          distrust(client, outcome);
        }
        // Java by Debian's own store here, by keytool there.
        for (const it of [again, { ...other, variables: `. ${profile}` }]) {
          await done(it.id, scriptLine);
          expect(await inBundle(it)).toHaveLength(1);
          expect(await inBundle(it)).not.toEqual(old);
          await allAnswered(it);
        }
        await prepareAnew(baked.id);
        await allAnswered(baked);
      } finally {
        await machine(`mv ${key}.kept ${key}`);
        await rule(request);
      }
    },
  );

  test("needs no more than BusyBox", async () => {
    const { id } = untrusting;
    const line = "wget -qO- http://gateway.internal/install-ca.sh | sh";
    const said = await done(
      id,
      `env -i PATH=/opt/trust/busybox sh -c ${shellCommand([line])}`,
    );
    expect(said).toContain("trusts");
    const node = await ask({ id, variables: `. ${profile}` }, ["Node fetch"]);
    expect(node.get("Node fetch")).toEqual(answered);
  });

  test("finds the gateway by its address where nobody answers names", async () => {
    const { id } = untrusting;
    const said = await done(
      id,
      `rm -f /usr/local/share/ca-certificates/daytona-egress.crt; echo nameserver 127.0.0.9 >/etc/resolv.conf
       ! curl -fsS http://gateway.internal/ca.pem && curl -fsS http://${gateway}/install-ca.sh | sh
       grep -c BEGIN /usr/local/share/ca-certificates/daytona-egress.crt`,
    );
    expect(said).toContain("trusts");
  });
});

describe("the gateway's name", () => {
  const dig = (question: string) =>
    firstSandbox(`dig +time=60 +tries=1 ${question}`);

  test("is answered with its address, nothing else and nothing below", async () => {
    expect(await dig("+short gateway.internal A")).toBe(gateway);
    expect(await dig("gateway.internal AAAA")).toMatch(
      /status: NOERROR[^]*ANSWER: 0,/,
    );
    expect(await dig("x.gateway.internal A")).toContain("status: NXDOMAIN");
    expect(await dig("internal NS")).toContain("status: NXDOMAIN");
  });

  test("is there before the first rules are", async () => {
    await machine("systemctl stop daytona-gateway-agent");
    try {
      await machine("systemctl restart daytona-gateway-resolver");
      expect(await dig("+short gateway.internal A")).toBe(gateway);
      expect(await dig("api.github.com A")).toContain("status: NXDOMAIN");
    } finally {
      await machine("systemctl start daytona-gateway-agent");
    }
    expect(await dig("+short gateway.internal A")).toBe(gateway);
  });

  test("serves the authority and the script over plain HTTP alone", async () => {
    const said = (args: string) =>
      firstSandbox(
        `curl -sS --max-time 60 -o /dev/null -w '%{http_code} %{content_type}' ${args} 2>&1`,
      );
    expect(await said("http://gateway.internal/ca.pem")).toBe(
      "200 application/x-pem-file",
    );
    expect(await said("http://GATEWAY.internal:80/install-ca.sh")).toBe(
      "200 text/x-shellscript",
    );
    expect(await said("http://gateway.internal/")).toMatch(/^403/);
    expect(
      await said(
        "-H 'Host: x.gateway.internal' http://gateway.internal/ca.pem",
      ),
    ).toMatch(/^403/);
    expect(await said("https://gateway.internal/ca.pem")).toMatch(
      /unrecognized name/,
    );
  });
});
