/** The live state that lies on a server of the lab, as its root reads and changes it. */
import { labExec } from "./lab.ts";

const home = "/var/lib/daytona-edge";

/** @param document path below /var/lib/daytona-edge, such as store/access.json */
export async function readState(
  machine: string,
  document: string,
): Promise<string> {
  const { stdout, stderr, exitCode } = await labExec(machine, [
    ...["cat", `${home}/${document}`],
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

/** Replaces it as a whole. */
export async function writeState(
  machine: string,
  document: string,
  content: string,
): Promise<void> {
  const path = `${home}/${document}`;
  await shell(
    machine,
    `umask 077; cat >${path}.new; mv ${path}.new ${path}`,
    content,
  );
}

/** Takes it away. @returns what puts it back */
export async function hideState(
  machine: string,
  document: string,
): Promise<() => Promise<void>> {
  const path = `${home}/${document}`;
  await shell(machine, `mv ${path} ${path}.aside`);
  return () => shell(machine, `mv ${path}.aside ${path}`);
}

async function shell(
  machine: string,
  script: string,
  input = "",
): Promise<void> {
  const { stderr, exitCode } = await labExec(machine, ["sh", "-euc", script], {
    input,
  });
  if (exitCode !== 0) throw new Error(stderr);
}
