/**
 * What runs where certificates are made without a cloud: the program and a
 * timer. The files beside this one are the files on the machine; here is only
 * which of them goes where, and the values that differ.
 */
import { join } from "node:path";
import type { StackConfig } from "../config/parse.ts";
import { bundledProgram } from "../machine/bundled-program.ts";
import type { Bundle } from "../machine/bundle.ts";
import { copiedFrom } from "../machine/copied-file.ts";
import * as places from "../machine/places.ts";
import { certificateEnvironment } from "./environment.ts";
import { assignment } from "./environment-file.ts";

const copy = copiedFrom(import.meta.dirname);

/** Debian packages that it needs. */
export const certificatePackages = ["ca-certificates", "curl", "nodejs"];

export type CertificateBundleConfig = Pick<
  StackConfig,
  "domain" | "zoneId" | "certificate"
> & {
  /** Address of Cloudflare's API; its own when absent. */
  readonly cloudflareUrl: string | undefined;
};

const { lib, state, systemd } = places;

/** The bundle: a pure function of the configuration and these files. */
export function certificateBundle(config: CertificateBundleConfig): Bundle {
  const timer = "daytona-certificate.timer";
  return {
    name: "certificate",
    packages: certificatePackages,
    files: [
      {
        path: `${places.etc("certificate")}/env`,
        content: environment(config),
        mode: 0o644,
      },
      {
        path: `${lib}/certificate.cjs`,
        content: bundledProgram(join(import.meta.dirname, "main.ts")),
        mode: 0o644,
      },
      copy("run-now.sh", `${lib}/run-certificate.sh`, 0o755),
      copy("check.sh", `${lib}/check-certificate.sh`, 0o755),
      copy("undo.sh", `${lib}/undo-certificate.sh`, 0o755),
      ...["daytona-certificate@.service", timer].map((unit) =>
        copy(`units/${unit}`, `${systemd}/${unit}`),
      ),
    ],
    units: [timer],
    check: `${lib}/check-certificate.sh`,
    undo: `${lib}/undo-certificate.sh`,
    ports: [],
    clock: config.certificate.directory,
  };
}

/** The environment that the program reads in place of options. */
function environment(config: CertificateBundleConfig): string {
  const values = {
    ...certificateEnvironment(config, config.cloudflareUrl),
    CERTIFICATE_STORE: `${state}/store`,
    CERTIFICATE_ACCOUNT: `${state}/certificate/account`,
  };
  return Object.entries(values)
    .map(([name, value]) => assignment(name, value))
    .join("");
}
