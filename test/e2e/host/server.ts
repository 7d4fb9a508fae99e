/**
 * A server for the platform host, in the lab: Daytona's stand-in runs on it,
 * and nothing of ours.
 * usage: server.ts boot|remove
 */
import { ensureImage } from "../../../scripts/lab/image.ts";
import { removeMachine } from "../../../scripts/lab/machine.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { ensureDaytona } from "../../../scripts/lab/surroundings.ts";
import { domain } from "./stack-file.ts";

const machine = "server";
await removeMachine(machine);
if (process.argv[2] === "boot") {
  const image = await ensureImage();
  await ensureDaytona({ image, secrets: labSecrets(), domain }, machine);
}
process.exit();
