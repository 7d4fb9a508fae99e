/** The lab's "internet" machine; its program is main.ts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineFile, MachineSpec } from "../machine-spec.ts";
import { type InternetConfig, internetConfig } from "./config.ts";
import { cloudflareZoneName, internetMachineHost } from "./hosts.ts";

export interface InternetMachineArgs {
  /** Bundle of main.ts for Node 20. */
  readonly program: string | Uint8Array;
  /** The lab's stand-in for the public web's authorities; both PEM. */
  readonly webCa: InternetConfig["webCa"];
  /** The only token that Cloudflare's stand-in lets in. */
  readonly cloudflareToken: string;
  /** Identifier of the zone at Cloudflare: 32 hexadecimal digits. */
  readonly zoneId: string;
}

const files = join(import.meta.dirname, "files");

/** @throws ZodError for a token or an identifier that Cloudflare would not give */
export function internetMachine(args: InternetMachineArgs): MachineSpec {
  const { program, webCa, cloudflareToken, zoneId } = args;
  const config = internetConfig.parse({
    webCa,
    cloudflareToken,
    zone: { id: zoneId, name: cloudflareZoneName },
  });
  return {
    name: "internet",
    address: internetMachineHost.ipv4,
    address6: internetMachineHost.ipv6,
    files: [
      { path: "/usr/local/lib/lab/internet.cjs", content: program },
      {
        path: "/etc/lab/internet.json",
        content: JSON.stringify(config, undefined, 2),
        mode: 0o600,
      },
      copied("pebble.json", "/etc/lab"),
      copied("internet.service", "/etc/systemd/system"),
      copied("pebble.service", "/etc/systemd/system"),
      copied("public.network", "/etc/systemd/network"),
      copied("forwarding.conf", "/etc/systemd/networkd.conf.d"),
    ],
    units: ["internet.service", "pebble.service"],
  };
}

function copied(name: string, directory: string): MachineFile {
  return {
    path: `${directory}/${name}`,
    content: readFileSync(join(files, name)),
  };
}
