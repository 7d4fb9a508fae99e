/**
 * What a machine has on AWS beside its bundle: it goes when Auto Scaling lets
 * it, once it is drained, and it may have to have a public address of the
 * stack's before it serves.
 */
import type { Bundle } from "../../../machine/bundle.ts";
import { copiedFrom } from "../../../machine/copied-file.ts";
import * as places from "../../../machine/places.ts";

const copy = copiedFrom(import.meta.dirname);

export interface OnAws {
  readonly region: string;
  /** Stopping it drains the machine. */
  readonly servingUnit: string;
  /** Name of the lifecycle hook that waits for that. */
  readonly lifecycleHook: string;
  /** How often the hook is told that the drain goes on. */
  readonly heartbeatSeconds: number;
  /** It serves from one of the addresses that bootstrap.sh lays down. */
  readonly publicAddress: boolean;
}

const lib = `${places.lib}/aws`;
const { systemd } = places;
const lifecycle = "daytona-aws-lifecycle.service";
const publicAddress = "daytona-aws-public-address.service";

/** Units that machines may have on AWS. */
export const awsUnits = [lifecycle, publicAddress];

export function onAws(bundle: Bundle, args: OnAws): Bundle {
  return {
    ...bundle,
    packages: [...bundle.packages, "curl", "python3-minimal"],
    files: [
      ...bundle.files,
      {
        path: `${places.etc("aws")}/env`,
        content: environment(args),
        mode: 0o644,
      },
      copy("imds.sh", `${lib}/imds.sh`),
      copy("lifecycle.sh", `${lib}/lifecycle.sh`, 0o755),
      copy(`units/${lifecycle}`, `${systemd}/${lifecycle}`),
      ...(args.publicAddress
        ? [
            copy("public-address.sh", `${lib}/public-address.sh`, 0o755),
            copy(`units/${publicAddress}`, `${systemd}/${publicAddress}`),
            copy(
              "units/public-address-first.conf",
              `${systemd}/${args.servingUnit}.d/public-address-first.conf`,
            ),
          ]
        : []),
    ],
    units: [
      // First: a machine that waits for something may have to go.
      lifecycle,
      ...bundle.units.flatMap((unit) =>
        args.publicAddress && unit === args.servingUnit
          ? [publicAddress, unit]
          : [unit],
      ),
    ],
  };
}

function environment(args: OnAws): string {
  return [
    `AWS_REGION=${args.region}`,
    `DRAINED_UNIT=${args.servingUnit}`,
    `LIFECYCLE_HOOK=${args.lifecycleHook}`,
    `HEARTBEAT_SECONDS=${String(args.heartbeatSeconds)}`,
    "",
  ].join("\n");
}
