/**
 * The edge's agent: puts the live state of the store to work without a
 * restart, ends streams that must not go on, and tells the figures.
 */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import {
  type CertificateReport,
  certificateReport,
  reportDocument,
} from "../certificate/report.ts";
import {
  emptyForRestart,
  keepForRestart,
  writeAtomically,
} from "../machine/agent/files.ts";
import { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { cutMarks } from "../machine/agent/marked-sockets.ts";
import { putToWork } from "../machine/agent/map.ts";
import { poll } from "../machine/agent/poll.ts";
import { openStore } from "../machine/agent/open-store.ts";
import { accessKeysMap } from "./access-keys.ts";
import { certificateFigures } from "./certificate-figures.ts";
import { type CertificateDocument, verifyCertificate } from "./certificate.ts";
import { sandboxFigures } from "./figures.ts";
import { latestByPlace, parseRevocations, revokedMap } from "./revocations.ts";
import { HalfClosedReaper } from "./half-closed.ts";
import { revokedMarks } from "./marks.ts";

const state = "/var/lib/daytona-edge/edge";
const certificateFile = `${state}/certificate.pem`;
/** As HAProxy has it loaded; prepare.sh makes it of what is kept, at each start. */
const stateMap = "/run/daytona-edge/state.map";
const keptState = `${state}/state.map`;
const cutFile = `${state}/cut.json`;
const statusFile = "/run/daytona-edge/status.json";

/** Only HAProxy's health listener asks here. */
const figuresPort = 8405;

const domain = setting("EDGE_DOMAIN");
const documents = [
  { name: "certificate.json", apply: applyCertificate },
  { name: "revocations.json", apply: applyRevocations },
  ...(setting("EDGE_ACCESS") === "signed"
    ? [{ name: "access.json", apply: applyAccessKeys }]
    : []),
];
const store = openStore(setting("EDGE_STORE"), [
  ...documents.map(({ name }) => name),
  reportDocument,
]);
const haproxy = new HaproxyRuntime("/run/daytona-edge/haproxy.sock");

/** When the certificate that is served ends. */
let certificateEnd: Date | undefined;

/** Makes a certificate live, on disk and in the running HAProxy. */
async function applyCertificate(content: Buffer): Promise<string> {
  const document = JSON.parse(content.toString()) as CertificateDocument;
  const serial = verifyCertificate(document, domain, new Date());
  const pem = `${document.chain.trim()}\n${document.key.trim()}\n`;
  // First the file, or a restart in between would bring the old one back.
  await writeAtomically(certificateFile, pem, 0o600);
  if ((await haproxy.certificateSerial(certificateFile)) !== serial) {
    await haproxy.setCertificate(certificateFile, pem);
    const served = await haproxy.certificateSerial(certificateFile);
    if (served !== serial) {
      throw new Error(`HAProxy serves ${String(served)} instead of ${serial}`);
    }
  }
  const unkept = await setState("certificate", "issued");
  certificateEnd = new Date(new X509Certificate(document.chain).validTo);
  if (unkept) throw unkept;
  return `serves certificate ${serial}`;
}

/** Makes signing keys live; the old ones count until the new ones do. */
async function applyAccessKeys(content: Buffer): Promise<string> {
  const map = accessKeysMap(content.toString());
  const unkept = await applyLive("access", `${state}/access-keys.map`, map);
  if (unkept) throw unkept;
  const kids = map.match(/^\S+/gm) ?? [];
  return `accepts tokens of ${kids.join(", ")}`;
}

/** What was cut for, and until when: a kill in between forgets no stream. */
let cut: Record<string, number> | undefined;

/** Makes revocations live, and cuts the streams that they are about. */
async function applyRevocations(content: Buffer): Promise<string> {
  const revocations = parseRevocations(content.toString());
  const map = revokedMap(revocations);
  const unkept = await applyLive("revocations", `${state}/revoked.map`, map);
  cut ??= await readCut();
  const done = cut;
  const latest = latestByPlace(revocations);
  const due = new Set(
    [...latest]
      .filter(([place, notBefore]) => notBefore > (done[place] ?? 0))
      .map(([place]) => place.split(":")[0] ?? place),
  );
  if (due.size > 0) await cutMarks(revokedMarks(due));
  cut = Object.fromEntries(latest);
  const problem =
    unkept ?? (await keepForRestart(cutFile, `${JSON.stringify(cut)}\n`));
  if (problem) throw problem;
  return `${String(latest.size)} revocations`;
}

async function readCut(): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(cutFile, "utf8")) as Record<
      string,
      number
    >;
  } catch {
    return {};
  }
}

/**
 * Puts a map to work that HAProxy has to know before it serves anybody. What
 * counts does not wait for the disk, which may be full; but then HAProxy's next
 * start must not go by what lies there from before.
 * @returns why it is not kept for that start
 */
async function applyLive(
  part: string,
  file: string,
  map: string,
): Promise<Error | undefined> {
  const unkept = await keepForRestart(file, map);
  if (unkept) await emptyForRestart(keptState);
  await putToWork(file, map, haproxy);
  const unsaid = await setState(part, "live", unkept === undefined);
  return unkept ?? unsaid;
}

/**
 * A part of the state that haproxy.cfg wants before it serves anybody.
 * @returns why it is not kept for HAProxy's next start
 */
async function setState(
  name: string,
  value: string,
  isKept = true,
): Promise<Error | undefined> {
  await haproxy.setMap(stateMap, name, value);
  if (!isKept) return undefined;
  const text = existsSync(keptState) ? await readFile(keptState, "utf8") : "";
  const others = text
    .split("\n")
    .filter((line) => !line.startsWith(`${name} `));
  const lines = [...others.filter((line) => line !== ""), `${name} ${value}`];
  return keepForRestart(keptState, `${lines.sort().join("\n")}\n`);
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set; see /etc/daytona-edge/edge/env`);
  return value;
}

function log(line: string): void {
  console.log(line);
}

/** What the health listener passes on. */
const figures: Readonly<Record<string, () => Promise<string>>> = {
  "/status": () => readFile(statusFile, "utf8"),
  "/metrics/sandboxes": () =>
    haproxy.command("show table sandboxes").then(sandboxFigures),
  "/metrics/certificate": async () =>
    certificateFigures(certificateEnd, await renewalReport()),
};

createServer((request, response) => {
  const path = request.url?.split("?")[0] ?? "";
  const answer = figures[path];
  if (!answer) {
    response.writeHead(404).end();
    return;
  }
  answer()
    .then((text) => response.end(text))
    .catch((error: unknown) => {
      response.writeHead(503).end(`${String(error)}\n`);
    });
}).listen(figuresPort, "127.0.0.1");

/** How the last renewal went, if one has ever reported. */
async function renewalReport(): Promise<CertificateReport | undefined> {
  const found = await store.read(reportDocument);
  return found && certificateReport.parse(JSON.parse(String(found.content)));
}

const reaper = new HalfClosedReaper(
  Number(setting("EDGE_HALF_CLOSED_SECONDS")) * 1000,
);
setInterval(() => {
  reaper.sweep(Date.now()).then(
    (ended) => {
      if (ended > 0) log(`ended ${String(ended)} half-closed connections`);
    },
    (error: unknown) => {
      log(String(error));
    },
  );
}, 2_000);

void poll({
  store,
  documents,
  intervalMs: Number(setting("EDGE_POLL_SECONDS")) * 1000,
  statusFile,
  log,
});
