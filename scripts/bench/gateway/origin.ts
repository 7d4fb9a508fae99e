/** The host out in the world, which the gateway verifies as it does any. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { loadCore, start } from "../processes.ts";
import { originAddress, originCertificate } from "./places.ts";
import { hostOf } from "./roads.ts";

/** What large bodies consist of: the letters decide what a search through them costs. */
const event = `event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" as a model writes it, word by word"}}

`;

/** Starts it on the load's core. */
export async function startOrigin(): Promise<void> {
  mkdirSync(dirname(originCertificate), { recursive: true });
  execFileSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(
      " ",
    ),
    ...["-subj", "/CN=bench origin"],
    ...["-addext", `subjectAltName=DNS:${hostOf("*")}`],
    ...["-keyout", originCertificate.replace(/crt$/, "key")],
    ...["-out", originCertificate],
  ]);
  // The gateway asks the system whom to trust.
  cpSync(originCertificate, "/usr/local/share/ca-certificates/bench.crt");
  execFileSync("update-ca-certificates");
  mkdirSync("/srv/bench", { recursive: true });
  writeFileSync("/srv/bench/body", Buffer.alloc(16_000_000, event));
  await start(loadCore, ["node", "/bench/events.cjs"], 4001);
  await start(
    loadCore,
    ["nginx", "-c", "/bench/files/origin.conf"],
    443,
    {},
    originAddress,
  );
}
