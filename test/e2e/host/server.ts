/**
 * A server for the platform host, in the lab: Daytona's stand-in runs on it,
 * and nothing of ours. Its operator is no root.
 * usage: server.ts boot|reboot|remove
 */
import { run } from "../../../scripts/lab/command.ts";
import { ensureImage } from "../../../scripts/lab/image.ts";
import {
  inMachine,
  rebootMachine,
  removeMachine,
} from "../../../scripts/lab/machine.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { ensureDaytona } from "../../../scripts/lab/surroundings.ts";
import { domain, operator } from "./stack-file.ts";

const machine = "server";
const makeOperator = `
  useradd --create-home --shell /bin/bash ${operator}
  cp -r /root/.ssh /home/${operator}/ && chown -R ${operator}: /home/${operator}/.ssh
  echo '${operator} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${operator}`;
const [verb] = process.argv.slice(2);
if (verb === "reboot") {
  await rebootMachine(machine);
  process.exit();
}
await removeMachine(machine);
if (verb === "boot") {
  const image = await ensureImage();
  await ensureDaytona({ image, secrets: labSecrets(), domain }, machine);
  await run(inMachine(machine, ["sh", "-ec", makeOperator]));
}
process.exit();
