/** What all suites with a lab share: programs, the image, and the end of the labs. */
import { execa, execaSync } from "execa";
import { join } from "node:path";
import { checkout } from "../../scripts/checkout.ts";
import { ensureImage } from "../../scripts/lab/image.ts";
import { prepare } from "../../scripts/prepare.ts";
import { raiseInotifyLimit } from "../../scripts/test/inotify.ts";
import { serverRelease } from "./host/release.ts";

const stop: [string, string[]] = [
  process.execPath,
  [join(checkout, "scripts/stop.ts"), "--suites"],
];

export default async function setup(): Promise<void> {
  // Once, and not by each place that starts a lab.
  await prepare();
  // Of servers of the host suites.
  await ensureImage(serverRelease("bookworm"));
  raiseInotifyLimit();
  if (process.env.DAYTONA_EDGE_KEEP_LABS) return;
  // Not a teardown: there is none after Ctrl-C, nor when the start fails.
  process.once("exit", () => {
    execaSync(...stop, { stdio: "inherit" });
  });
  // A killed run left them in the middle of a suite.
  await execa(...stop);
}
