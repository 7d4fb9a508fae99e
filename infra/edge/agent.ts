/**
 * The edge's agent: puts the live state of the store to work without a
 * restart, ends streams that must not go on, and tells the figures.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import {
  emptyForRestart,
  fileStates,
  keepForRestart,
} from "../machine/agent/files.ts";
import { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { cutMarks } from "../machine/agent/marked-sockets.ts";
import { putToWork } from "../machine/agent/map.ts";
import { type PolledDocument, poll } from "../machine/agent/poll.ts";
import { settingsFrom } from "../machine/agent/setting.ts";
import {
  accessKeys,
  certificate,
  certificateReport,
  revocations,
} from "../machine/live-state.ts";
import * as places from "../machine/places.ts";
import { openStore } from "../machine/store/open.ts";
import type { Reader } from "../machine/store/store.ts";
import { writeAtomically } from "../machine/write-atomically.ts";
import { certificateFigures } from "./certificate-figures.ts";
import { servedCertificate } from "./certificate.ts";
import { sandboxFigures } from "./figures.ts";
import { latestByPlace, revokedMap } from "./revocations.ts";
import { HalfClosedReaper } from "./half-closed.ts";
import { revokedMarks } from "./marks.ts";

const state = `${places.state}/edge`;
const certificateFile = `${state}/certificate.pem`;
const revokedFile = `${state}/revoked.map`;
const accessKeysFile = `${state}/access-keys.map`;
/** As HAProxy has it loaded; prepare.sh makes it of what is kept, at each start. */
const stateMap = `${places.run("edge")}/state.map`;
const keptState = `${state}/state.map`;
const cutFile = `${state}/cut.json`;
const statusFile = `${places.run("edge")}/status.json`;

const setting = settingsFrom(`${places.etc("edge")}/env`);
const haproxy = new HaproxyRuntime(`${places.run("edge")}/haproxy.sock`);

/** When the certificate that is served ends. */
let certificateEnd: Date | undefined;

/** Makes a certificate live, on disk and in the running HAProxy. */
async function applyCertificate(
  content: string,
  domain: string,
): Promise<string> {
  const { pem, serial, notAfter } = servedCertificate(content, domain);
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
  certificateEnd = notAfter;
  if (unkept) throw unkept;
  return `serves certificate ${serial}`;
}

/** Makes signing keys live; the old ones count until the new ones do. */
async function applyAccessKeys(content: string): Promise<string> {
  const map = accessKeys.parse(content);
  const unkept = await applyLive("access", accessKeysFile, map);
  if (unkept) throw unkept;
  const kids = map.match(/^\S+/gm) ?? [];
  return `accepts tokens of ${kids.join(", ")}`;
}

/** What was cut for, and until when: a kill in between forgets no stream. */
let cut: Record<string, number> | undefined;

/** Makes revocations live, and cuts the streams that they are about. */
async function applyRevocations(content: string): Promise<string> {
  const all = revocations.parse(content);
  const map = revokedMap(all);
  const unkept = await applyLive("revocations", revokedFile, map);
  cut ??= await readCut();
  const done = cut;
  const latest = latestByPlace(all);
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

function log(line: string): void {
  console.log(line);
}

/** What the health listener passes on. */
function serveFigures(store: Reader): void {
  const figures: Readonly<Record<string, () => Promise<string>>> = {
    "/status": () => readFile(statusFile, "utf8"),
    "/metrics/sandboxes": () =>
      haproxy.command("show table sandboxes").then(sandboxFigures),
    "/metrics/certificate": async () => {
      const report = await store.read(certificateReport.name);
      return certificateFigures(
        certificateEnd,
        // None before the first renewal.
        report === undefined ? undefined : certificateReport.parse(report),
      );
    },
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
  }).listen(places.agentPort, "127.0.0.1");
}

/** Looks often enough to exceed the limit by a tenth at most, or by two seconds. */
function endHalfClosed(limitMs: number): void {
  const reaper = new HalfClosedReaper(limitMs);
  setInterval(
    () => {
      reaper.sweep(Date.now()).then(
        (ended) => {
          if (ended > 0) log(`ended ${String(ended)} half-closed connections`);
        },
        (error: unknown) => {
          log(String(error));
        },
      );
    },
    Math.min(Math.max(limitMs / 10, 2_000), 10_000),
  );
}

/** What it polls. */
export function polledDocuments(
  domain: string,
  access: string,
): PolledDocument[] {
  return [
    {
      name: certificate.name,
      apply: (content) => applyCertificate(content, domain),
    },
    { name: revocations.name, apply: applyRevocations },
    ...(access === "signed"
      ? [{ name: accessKeys.name, apply: applyAccessKeys }]
      : []),
  ];
}

/** What the documents have become: files, and what HAProxy has. */
async function inPlace(access: string): Promise<unknown> {
  const maps = [
    stateMap,
    revokedFile,
    ...(access === "signed" ? [accessKeysFile] : []),
  ];
  return [
    fileStates([state]),
    await haproxy.commands([
      `show ssl cert ${certificateFile}`,
      ...maps.map((map) => `show map ${map}`),
    ]),
  ];
}

/** @throws Error when a setting is missing, before anything is begun */
export function runAgent(): void {
  const domain = setting("EDGE_DOMAIN");
  const access = setting("EDGE_ACCESS");
  const documents = polledDocuments(domain, access);
  const store = openStore(setting("EDGE_STORE"), [
    ...documents.map(({ name }) => name),
    certificateReport.name,
  ]);
  const intervalMs = Number(setting("EDGE_POLL_SECONDS")) * 1000;
  const halfClosedMs = Number(setting("EDGE_HALF_CLOSED_SECONDS")) * 1000;
  serveFigures(store);
  endHalfClosed(halfClosedMs);
  void poll({
    store,
    documents,
    inPlace: () => inPlace(access),
    intervalMs,
    statusFile,
    log,
  });
}
