/** A package that stands in for the agent of AWS' Session Manager. */
import { execa } from "execa";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const control = `Package: amazon-ssm-agent
Version: 0
Architecture: all
Maintainer: the lab
Description: stand-in of AWS' agent
`;
const unit = `[Unit]
Description=stand-in of AWS' agent
[Service]
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`;

export interface AgentPackage {
  readonly content: Uint8Array;
  /** Hexadecimal. */
  readonly sha256: string;
}

export async function agentPackage(): Promise<AgentPackage> {
  const directory = mkdtempSync(join(tmpdir(), "daytona-edge-agent-"));
  try {
    const root = join(directory, "root");
    const units = join(root, "usr/lib/systemd/system");
    mkdirSync(units, { recursive: true });
    mkdirSync(join(root, "DEBIAN"));
    writeFileSync(join(root, "DEBIAN/control"), control);
    writeFileSync(join(units, "amazon-ssm-agent.service"), unit);
    const file = join(directory, "agent.deb");
    await execa("dpkg-deb", ["--root-owner-group", "--build", root, file]);
    const content = readFileSync(file);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { content, sha256 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
