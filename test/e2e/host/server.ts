/**
 * Servers for the platform host, in the lab: Daytona's stand-in runs on each,
 * and nothing of ours. Their operator is no root.
 * usage: server.ts boot|boot-bookworm|reboot|remove SERVER…
 */
import { run } from "../../../scripts/lab/command.ts";
import { ensureImage } from "../../../scripts/lab/image.ts";
import { daytonaMachines } from "../../../scripts/lab/machine-addresses.ts";
import {
  inMachine,
  rebootMachine,
  removeMachine,
} from "../../../scripts/lab/machine.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { ensureDaytona } from "../../../scripts/lab/surroundings.ts";
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
    const release = verb === "boot" ? "trixie" : "bookworm";
    const image = await ensureImage(release);
    await ensureDaytona(
      { image, secrets: labSecrets(), domain },
      server as keyof typeof daytonaMachines,
      release,
    );
    await run(inMachine(server, ["sh", "-ec", makeOperator]));
  }
}
process.exit();
