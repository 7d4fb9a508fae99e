/** More certificate authorities on the lab's internet: Pebble, as told. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../../scripts/checkout.ts";
import { goProgram } from "../../../scripts/toolchain/go-program.ts";
import { labExec } from "../lab.ts";

export interface Pebble {
  readonly directory: string;
  /** Address of its management interface. */
  readonly management: string;
  stop(): Promise<void>;
}

export interface PebbleArgs {
  readonly port: number;
  /** Path on the machine; Debian's when absent. */
  readonly program?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * The resolver that it validates by; the machine's own when absent. One that
   * is named here gets 2 s for an answer and is asked once, which a busy
   * computer can miss; the machine's own is asked again after 5 s.
   */
  readonly resolver?: string;
  /** Goes into its configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

const shipped = join(checkout, "scripts/lab/internet/files/pebble.json");

export async function startPebble(args: PebbleArgs): Promise<Pebble> {
  const {
    port,
    program = "/usr/bin/pebble",
    environment = {},
    resolver,
  } = args;
  const usual = JSON.parse(readFileSync(shipped, "utf8")) as { pebble: object };
  const config = {
    pebble: {
      ...usual.pebble,
      listenAddress: `0.0.0.0:${String(port)}`,
      managementListenAddress: `0.0.0.0:${String(port + 1000)}`,
      ...args.config,
    },
  };
  const unit = `pebble-${String(port)}`;
  const settings = Object.entries({
    PEBBLE_VA_NOSLEEP: "1",
    PEBBLE_AUTHZREUSE: "0",
    ...environment,
  }).map(([name, value]) => `--setenv=${name}=${value}`);
  await onInternet(`cat >/run/${unit}.json`, JSON.stringify(config));
  await onInternet(
    `if systemctl --quiet is-active ${unit}; then systemctl stop ${unit}; fi
     systemd-run --quiet --collect --unit=${unit} ${settings.join(" ")} ${program} -config /run/${unit}.json${resolver === undefined ? "" : ` -dnsserver ${resolver}`}
     while systemctl --quiet is-active ${unit}; do
       curl -sk -o /dev/null https://127.0.0.1:${String(port)}/dir && exit 0
       sleep 0.1
     done
     journalctl --no-pager -u ${unit} >&2; exit 1`,
  );
  return {
    directory: `https://acme.internal:${String(port)}/dir`,
    management: `https://acme.internal:${String(port + 1000)}`,
    stop: async () => {
      await onInternet(`systemctl stop ${unit}; rm -f /run/${unit}.json`);
    },
  };
}

/**
 * Pebble 2.10.1, which knows profiles and can be told a renewal window; built
 * from its Go module and kept by what its sums say.
 * @returns its path on the machine; undefined when there is no Go here
 */
export async function newerPebble(): Promise<string | undefined> {
  const built = await goProgram(
    join(import.meta.dirname, "pebble-go"),
    "github.com/letsencrypt/pebble/v2/cmd/pebble",
  );
  if (built === undefined) return undefined;
  const place = "/usr/local/lib/pebble-newer";
  await onInternet(`cat >${place}; chmod 0755 ${place}`, readFileSync(built));
  return place;
}

async function onInternet(
  script: string,
  input: string | Uint8Array = "",
): Promise<void> {
  const { stderr, exitCode } = await labExec(
    "internet",
    ["sh", "-ec", script],
    { input },
  );
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
}
