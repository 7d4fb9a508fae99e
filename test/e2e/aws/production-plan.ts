/** What production would give AWS: planned by the real engine, for the lab's addresses. */
import { gunzipSync } from "node:zlib";
import type { AwsSettings } from "../../../infra/platforms/aws/settings.ts";
import type { Resource } from "../../../scripts/toolchain/engine-state.ts";
import { nameOf } from "../../../scripts/toolchain/engine-state.ts";
import { withoutCheckpoints } from "../../../scripts/test/without-checkpoints.ts";
import { production } from "../../program/production.ts";
import type { Moto } from "./moto.ts";

/** What goes before a document's name in its secret's name. */
export const secrets = "daytona-edge/prod/";

/** Network of the sandboxes' VPC; in the lab, of one address that a suite adds. */
export const sandboxesCidr = "10.81.0.0/16";

export interface PlannedMachine {
  /** As the launch template carries it, unpacked. */
  readonly userData: string;
  /** Lays the machine's bundle where its user data says. */
  layBundle(moto: Moto): Promise<void>;
  /** Where the stack's files and its state lie, until `remove`. */
  readonly workDir: string;
  readonly remove: () => void;
}

/** The machines of a kind. */
export async function plannedMachine(
  kind: "edge" | "gateway",
  settings: Pick<AwsSettings, "sessionManager"> = {},
): Promise<PlannedMachine> {
  const prod = await production();
  try {
    prod.configure({
      "daytona-edge:upstream": {
        mode: "daytona",
        url: "http://198.18.0.3:4000",
      },
      "daytona-edge:aws": {
        ...settings,
        region: "eu-central-1",
        // The lab's own network, so that its balancers are the subnets'.
        services: { cidr: "198.18.0.0/20" },
        sandboxes: { cidr: sandboxesCidr },
        gateway: { rootServers: ["198.18.0.2"] },
      },
    });
    await using stack = await prod.open({ env: withoutCheckpoints });
    await stack.up();
    const { resources } = prod.state();
    const planned = (type: string, name: string) => {
      const found = resources.find(
        (it) => it.type === type && nameOf(it) === name,
      );
      if (!found) throw new Error(`no ${type} ${name} is planned`);
      return found as Resource & {
        readonly outputs: Readonly<Record<string, string>>;
      };
    };
    const template = planned(
      "aws:ec2/launchTemplate:LaunchTemplate",
      `aws-${kind}-machines-template`,
    );
    const bundle = planned(
      "aws:s3/bucketObjectv2:BucketObjectv2",
      `aws-${kind}-machines-bundle`,
    ).outputs;
    return {
      ...{ workDir: prod.workDir, remove: prod.remove },
      userData: gunzipSync(
        Buffer.from(String(template.inputs.userData), "base64"),
      ).toString(),
      layBundle: (moto) =>
        moto.putObject(
          bundle.bucket ?? "",
          bundle.key ?? "",
          Buffer.from(bundle.contentBase64 ?? "", "base64"),
        ),
    };
  } catch (error) {
    prod.remove();
    throw error;
  }
}
