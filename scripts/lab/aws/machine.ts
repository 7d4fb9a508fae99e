/** What the lab adds to a machine of the stack that believes to be on EC2. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineFile } from "../machine-spec.ts";
import { bundleProgram } from "../programs.ts";

const unit = "lab-metadata.service";

/** What an instance knows about itself, by its path below `meta-data/`. */
function metadata(name: string): Record<string, string> {
  const role = "stand-in";
  return {
    "instance-id": `i-${name}`,
    "placement/region": "eu-central-1",
    "placement/availability-zone": "eu-central-1a",
    // What it had before it takes one of the stack's.
    "public-ipv4": "203.0.113.250",
    "autoscaling/target-lifecycle-state": "InService",
    "tags/instance/aws:autoscaling:groupName": `${name}-group`,
    "iam/security-credentials/": role,
    [`iam/security-credentials/${role}`]: JSON.stringify({
      Code: "Success",
      Type: "AWS-HMAC",
      LastUpdated: "2026-01-01T00:00:00Z",
      AccessKeyId: "ASIASTANDIN000000000",
      SecretAccessKey: "stand-in",
      Token: "stand-in",
      Expiration: "2099-01-01T00:00:00Z",
    }),
  };
}

export async function awsMachine(
  name: string,
): Promise<{ files: MachineFile[]; units: string[] }> {
  return {
    files: [
      {
        path: "/usr/local/lib/lab/metadata.cjs",
        content: await bundleProgram("aws/metadata.ts"),
      },
      {
        path: "/usr/local/lib/lab/metadata.sh",
        content: readFileSync(join(import.meta.dirname, "metadata.sh")),
      },
      {
        path: "/etc/lab/metadata.json",
        content: JSON.stringify(metadata(name), undefined, 2),
      },
      {
        path: `/etc/systemd/system/${unit}`,
        content: readFileSync(join(import.meta.dirname, unit)),
      },
    ],
    units: [unit],
  };
}
