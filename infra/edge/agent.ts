/** The edge's agent: puts the certificate of the store to work, without a restart. */
import { writeAtomically } from "../machine/agent/files.ts";
import { HaproxyRuntime } from "../machine/agent/haproxy.ts";
import { poll } from "../machine/agent/poll.ts";
import { DirectoryStore } from "../machine/agent/store.ts";
import { type CertificateDocument, verifyCertificate } from "./certificate.ts";

const state = "/var/lib/daytona-edge/edge";
const certificateFile = `${state}/certificate.pem`;
const stateMap = `${state}/state.map`;

/** Makes a certificate live, on disk and in the running HAProxy. */
async function applyCertificate(
  content: Buffer,
  domain: string,
  haproxy: HaproxyRuntime,
): Promise<string> {
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
  await writeAtomically(stateMap, "certificate issued\n", 0o600);
  await haproxy.setMap(stateMap, "certificate", "issued");
  return `serves certificate ${serial}`;
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set; see /etc/daytona-edge/edge/env`);
  return value;
}

const domain = setting("EDGE_DOMAIN");
const haproxy = new HaproxyRuntime("/run/daytona-edge/haproxy.sock");
void poll({
  store: new DirectoryStore(setting("EDGE_STORE")),
  documents: [
    {
      name: "certificate.json",
      apply: (content) => applyCertificate(content, domain, haproxy),
    },
  ],
  intervalMs: Number(setting("EDGE_POLL_SECONDS")) * 1000,
  statusFile: "/run/daytona-edge/status.json",
  log: (line) => {
    console.log(line);
  },
});
