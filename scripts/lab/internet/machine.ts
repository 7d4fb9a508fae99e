/** The lab's machine `internet`: stand-ins for all that the stack meets out there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineFile, MachineSpec } from "../machine-spec.ts";
import {
  bareAddresses,
  internetAddress,
  internetAddress6,
  secondNameServer,
  webHosts,
} from "./hosts.ts";
import { type InternetSettings, settingsFile } from "./settings.ts";
import { type KeyPairPem, webCertificate } from "./web/certificates.ts";

export interface InternetMachineArgs {
  /** Bundle of main.ts for Node 20. */
  readonly program: string | Uint8Array;
  readonly webCa: KeyPairPem;
  /** The token that Cloudflare's stand-in lets in. */
  readonly cloudflareToken: string;
  /** Id of the zone that it holds. */
  readonly zoneId: string;
}

const units = [
  "internet-addresses.service",
  "internet.service",
  "pebble.service",
];

export async function internetMachine(
  args: InternetMachineArgs,
): Promise<MachineSpec> {
  const { program, ...settings } = args;
  const acme = await webCertificate(args.webCa, "acme.internal");
  const addresses = [
    `${secondNameServer}/32`,
    ...bareAddresses.map((address) => `${address}/32`),
    ...webHosts.flatMap(({ ipv4, ipv6 }) => [
      `${ipv4}/32`,
      ...(ipv6 === undefined ? [] : [`${ipv6}/128`]),
    ]),
  ];
  return {
    name: "internet",
    address: internetAddress,
    address6: internetAddress6,
    files: [
      ...units.map((unit) => copied(unit, `/etc/systemd/system/${unit}`)),
      copied("addresses.sh", "/usr/local/lib/lab/addresses.sh", 0o755),
      copied("pebble.json", "/etc/lab/pebble.json"),
      { path: "/etc/lab/addresses", content: `${addresses.join("\n")}\n` },
      { path: "/etc/lab/acme.pem", content: acme.certificate },
      { path: "/etc/lab/acme.key", content: acme.key },
      { path: "/usr/local/lib/lab/internet.cjs", content: program },
      {
        path: settingsFile,
        content: JSON.stringify(settings satisfies InternetSettings),
        mode: 0o600,
      },
    ],
    units,
  };
}

function copied(name: string, path: string, mode?: number): MachineFile {
  const content = readFileSync(join(import.meta.dirname, "files", name));
  return { path, content, ...(mode === undefined ? {} : { mode }) };
}
