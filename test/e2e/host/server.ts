/**
 * Servers for the platform host, in the lab, with nothing of ours: Daytona's
 * stand-in runs on each but those for edges alone. Their operator is no root.
 * usage: server.ts boot|boot-other|reboot|remove SERVER…
 *        boot: Debian 13, boot-other: Debian 12, or what release.ts says
 */
import { run } from "../../../scripts/lab/command.ts";
import { ensureImage } from "../../../scripts/lab/image.ts";
import { edgeMachine } from "../../../scripts/lab/edge/machine.ts";
import {
  daytonaMachines,
  edgeAddresses,
} from "../../../scripts/lab/machine-addresses.ts";
import type { Release } from "../../../scripts/lab/machine-spec.ts";
import {
  bootMachine,
  createMachine,
  inMachine,
  rebootMachine,
  removeMachine,
} from "../../../scripts/lab/machine.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { ensureDaytona, loginKeys } from "../../../scripts/lab/surroundings.ts";
import { serverRelease } from "./release.ts";
import { domain, operator } from "./stack-file.ts";

const makeOperator = `
  useradd --create-home --shell /bin/bash ${operator}
  cp -r /root/.ssh /home/${operator}/ && chown -R ${operator}: /home/${operator}/.ssh
  echo '${operator} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${operator}`;

const [verb, ...servers] = process.argv.slice(2);
for (const server of servers) {
  if (verb === "reboot") {
    await rebootMachine(server);
    continue;
  }
  await removeMachine(server);
  if (verb?.startsWith("boot")) {
    await boot(server, serverRelease(verb === "boot" ? "trixie" : "bookworm"));
    await run(inMachine(server, ["sh", "-ec", makeOperator]));
  }
}
process.exit();

async function boot(server: string, release: Release): Promise<void> {
  const secrets = labSecrets();
  if (server in edgeAddresses) {
    const name = server as keyof typeof edgeAddresses;
    await createMachine({ ...edgeMachine(name, loginKeys(secrets)), release });
    await bootMachine(name);
  } else {
    const image = await ensureImage(release);
    const name = server as keyof typeof daytonaMachines;
    await ensureDaytona({ image, secrets, domain }, name, release);
  }
}
