/**
 * The certificate that `pulumi up` has put into the lab's store.
 *
 * @module-tag certificate
 */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import {
  certificateProblems,
  heldCertificate,
  type HeldCertificate,
  readChain,
} from "../../../infra/certificate/held-certificate.ts";
import { certificateReport } from "../../../infra/machine/live-state.ts";
import { trustFile } from "../../../scripts/checkout.ts";
import { edgeAddresses } from "../../../scripts/lab/machine-addresses.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { stackDirectory } from "../../../scripts/stack.ts";
import {
  engineState,
  nameOf,
} from "../../../scripts/toolchain/engine-state.ts";
import { failAtCloudflare } from "../internet.ts";
import { DOMAIN, labCurl, labExec } from "../lab.ts";
import { hideState, readState, writeState } from "../live-state.ts";

const document = "store/certificate.json";
const accountFile = "certificate/account/acme-account.json";
let held: HeldCertificate;

beforeAll(async () => {
  held = heldCertificate.parse(JSON.parse(await readState("edge", document)));
});

test("is for the wildcard and the base name, with its key and chain", () => {
  const names = [`*.${DOMAIN}`, DOMAIN];
  expect(certificateProblems(held, names, new Date())).toEqual([]);
  const [leaf] = readChain(held.chain);
  expect(leaf?.checkPrivateKey(createPrivateKey(held.key))).toBe(true);
  expect(leaf?.serialNumber).toBe(held.serial);
  expect(leaf?.checkHost(`any.${DOMAIN}`)).toBeDefined();
});

test("leads to the root that the lab's clients trust", async () => {
  const roots = readChain(await readFile(trustFile, "utf8"));
  const last = readChain(held.chain).at(-1) as X509Certificate;
  const signers = roots.filter(
    (root) => last.checkIssued(root) && last.verify(root.publicKey),
  );
  expect(signers).toHaveLength(1);
});

test("is for its owner's eyes, and the account's key is elsewhere", async () => {
  const { stdout } = await labExec("edge", [
    ...[
      "find",
      "/var/lib/daytona-edge/store",
      "/var/lib/daytona-edge/certificate",
    ],
    ...["-name", "*.json", "-printf", "%m %U %P\n"],
  ]);
  const found = stdout.split("\n");
  expect(found).toContain("600 0 certificate.json");
  expect(found).toContain("600 0 account/acme-account.json");
  expect(found).not.toContain("600 0 acme-account.json");
});

test("has left no challenge in DNS", async () => {
  const { stdout, exitCode } = await labExec("edge", [
    "dig",
    "+noall",
    "+answer",
    "+comments",
    "TXT",
    `_acme-challenge.${DOMAIN}`,
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/status: (NOERROR|NXDOMAIN)/);
  expect(stdout).not.toMatch(/\bTXT\t/);
});

describe("its machine", () => {
  const onMachine = (...argv: string[]) => labExec("edge", argv);
  const script = "/usr/local/lib/daytona-edge/run-certificate.sh";

  test("renews by a timer, several times a day, also what was missed", async () => {
    const { stdout } = await onMachine(
      ..."systemctl show daytona-certificate.timer".split(" "),
      "--property=ActiveState,Unit,Persistent,NextElapseUSecRealtime",
    );
    const shown = Object.fromEntries(
      stdout.split("\n").map((line) => line.split("=") as [string, string]),
    );
    expect(shown).toMatchObject({
      ActiveState: "active",
      Unit: "daytona-certificate@issue.service",
      Persistent: "yes",
    });
    const next = Date.parse(shown.NextElapseUSecRealtime?.slice(4) ?? "");
    expect(next).toBeGreaterThan(Date.now());
    expect(next - Date.now()).toBeLessThanOrEqual(8 * 60 * 60_000);
  });

  test("what the timer starts keeps a good certificate, and reports", async () => {
    const readReport = async () =>
      certificateReport.parse(
        await readState("edge", `store/${certificateReport.name}`),
      );
    const { issuedAt } = await readReport();
    const before = Date.now();
    const { stdout, exitCode } = await onMachine(script, "issue");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      action: "kept",
      serial: held.serial,
    });
    const report = await readReport();
    expect(report.error).toBeUndefined();
    expect(Date.parse(report.succeededAt ?? "")).toBeGreaterThanOrEqual(before);
    // Other suites of this lab may have had more than the first one issued.
    expect(report.issuedAt).toEqual(issuedAt);
    expect(report.issuedAt.length).toBeGreaterThan(0);
    expect(report.renewalDue).toBeDefined();
  });

  test("one that fails says why, here and in the report, and the certificate stays", async () => {
    const old = await readState("edge", document);
    const putBack = await hideState("edge", document);
    await failAtCloudflare({ count: 1, status: 403, about: DOMAIN });
    try {
      const { stderr, exitCode } = await onMachine(script, "issue");
      expect(exitCode).toBe(1);
      expect(stderr).toContain("needs Zone / DNS / Edit on this zone");
      const report = certificateReport.parse(
        await readState("edge", `store/${certificateReport.name}`),
      );
      expect(report.error).toContain("needs Zone / DNS / Edit on this zone");
      expect(Date.parse(report.succeededAt ?? "")).toBeLessThan(
        Date.parse(report.ranAt),
      );
    } finally {
      await failAtCloudflare({ count: 0, status: 500 });
      await putBack();
    }
    expect(await readState("edge", document)).toBe(old);
    expect(await onMachine(script, "issue")).toMatchObject({ exitCode: 0 });
  });

  test("what runs there can do what it is for, and nothing else", async () => {
    const unit = "daytona-certificate@probe.service";
    const dropIn = `/run/systemd/system/${unit}.d`;
    // The unit as it is, with another program in it.
    const { stdout } = await onMachine(
      "sh",
      "-c",
      `mkdir -p ${dropIn}
       cat >/run/probe.sh <<'END'
for path in / /dev /etc /home /root /run /usr /var /var/lib/daytona-edge /var/lib/daytona-edge/* /proc/sys/net/ipv4/ip_forward /sys/fs/cgroup/*; do
  [ ! -w "$path" ] || echo "writes $path"
done
[ ! -e /tmp/probed ] || echo "sees what others have in /tmp"
grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status
ip link >/dev/null && echo "has netlink"
systemctl show --property=Version >/dev/null && echo "asks systemd"
true
END
       printf '[Service]\nExecStart=\nExecStart=/bin/sh /run/probe.sh\n' >${dropIn}/probe.conf
       touch /tmp/probed
       systemctl daemon-reload
       systemctl start ${unit} && cat /run/daytona-certificate-probe.json
       rm -r ${dropIn} /run/probe.sh /run/daytona-certificate-probe.json /tmp/probed
       systemctl daemon-reload`,
    );
    expect(stdout.split("\n")).toEqual([
      "writes /var/lib/daytona-edge/certificate",
      "writes /var/lib/daytona-edge/store",
      // CAP_DAC_OVERRIDE: the store may be another user's.
      "CapBnd:\t0000000000000002",
      "NoNewPrivs:\t1",
    ]);
  });

  test("its secrets are root's alone, and the edge's programs see none", async () => {
    const { stdout } = await onMachine(
      ..."find /var/lib/daytona-edge/certificate -type f -perm /077 ! -name .lock".split(
        " ",
      ),
    );
    expect(stdout).toBe("");
    /** Files with it, for root, or for a unit's program. */
    const found = async (secret: string, unit?: string) => {
      // grep ends with 1 when it finds nothing. The journal is in /var.
      const search = `grep -rlF -e '${secret}' /etc /root /run /tmp /usr/local /var 2>/dev/null || true`;
      const asUnit = `exec nsenter --target="$(systemctl show -p MainPID --value ${unit ?? ""})" --mount sh -c "$0"`;
      const list = await onMachine("sh", "-c", unit ? asUnit : search, search);
      return list.stdout.split("\n").sort().join(" ");
    };
    const own = "/var/lib/daytona-edge/certificate";
    const { token, account, key } = await secrets();
    expect(await found(token)).toBe(`${own}/credentials.env`);
    expect(await found(account)).toBe(`${own}/account/acme-account.json`);
    const keys =
      "/var/lib/daytona-edge/edge/certificate.pem /var/lib/daytona-edge/store/certificate.json";
    expect(await found(key)).toBe(keys);
    for (const unit of ["daytona-edge", "daytona-edge-agent"]) {
      expect(await found(token, unit)).toBe("");
      expect(await found(account, unit)).toBe("");
    }
  });

  test("an edge refuses another stack's, says so, and serves the old one", async () => {
    const old = await readState("edge", document);
    const status = async () =>
      (await labCurl([`http://${edgeAddresses.edge.ipv4}:8404/status`])).stdout;
    await writeState(
      "edge",
      document,
      await readState("edge-signed", document),
    );
    try {
      await expect.poll(status).toContain(`not for *.${DOMAIN}, ${DOMAIN}`);
      expect(await status()).toContain(`serves certificate ${held.serial}`);
      // Neither now nor after a restart.
      expect(await labCurl([`https://any.${DOMAIN}`])).toMatchObject({
        exitCode: 0,
      });
      const pem = "/var/lib/daytona-edge/edge/certificate.pem";
      expect((await labExec("edge", ["cat", pem])).stdout).toContain(
        held.chain.trim(),
      );
    } finally {
      await writeState("edge", document, old);
    }
    await expect.poll(status).not.toContain("error");
  });

  test("an edge reads its store, and cannot write there", async () => {
    const store = "/var/lib/daytona-edge/store";
    const { stdout } = await onMachine(
      "sh",
      "-c",
      `exec nsenter --target="$(systemctl show -p MainPID --value daytona-edge-agent)" --mount sh -c 'cat ${store}/certificate.json | wc -l; touch ${store}/touched 2>&1'`,
    );
    expect(Number(stdout.split("\n")[0])).toBeGreaterThan(0);
    expect(stdout).toContain("Read-only file system");
  });
});

/** What nobody else may see; of the keys, the part that is secret. */
async function secrets(): Promise<
  Readonly<Record<"token" | "account" | "key", string>>
> {
  const account = JSON.parse(await readState("edge", accountFile)) as {
    key: { d: string };
  };
  return {
    token: labSecrets().cloudflareToken,
    account: account.key.d,
    key: held.key.split("\n")[1] ?? "",
  };
}

test("the stack keeps them encrypted, and gives them by standard input only", async () => {
  const { text, resources } = engineState(stackDirectory, "local");
  for (const secret of Object.values(await secrets())) {
    expect(text).not.toContain(secret);
  }
  const commands = resources.filter(({ type }) => type.startsWith("command:"));
  // How the engine marks one; command lines and environments show to others.
  const mark =
    '"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"';
  const stdin = commands.map(({ inputs }) => inputs?.stdin);
  expect(JSON.stringify(stdin)).toContain(mark);
  for (const { inputs } of commands) {
    // A trigger is a hash of what was written, and so held to be secret.
    const hidden = { stdin: 0, connection: 0, triggers: 0 };
    const shown = { ...inputs, ...hidden };
    expect(JSON.stringify(shown)).not.toContain(mark);
  }
});

test("the account came before CAA, and CAA before the order", () => {
  const { resources } = engineState(stackDirectory, "local");
  const of = (name: string) =>
    resources.find((one) => nameOf(one) === `host-certificate-${name}`);
  for (const record of ["caa-issue", "caa-issuewild"]) {
    expect(of(record)?.dependencies).toContain(of("account")?.urn);
    expect(of("issue")?.dependencies).toContain(of(record)?.urn);
  }
});
