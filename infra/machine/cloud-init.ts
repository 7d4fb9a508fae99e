/** cloud-init user data: what a cloud boots a machine from. */
import { stringify } from "yaml";

const directory = "/run/daytona-edge-bootstrap";

export interface UserData {
  /** Runs once, on the first boot, as root. */
  readonly script: string;
  /** Plain values that the script reads from the file `env` beside it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Other files beside the script, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Other user data is another machine. */
export function cloudInitUserData(args: UserData): string {
  const environment = Object.entries(args.environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
  const written = (name: string, content: string) => ({
    path: `${directory}/${name}`,
    permissions: "0600",
    content,
  });
  const document = {
    write_files: [
      written("env", environment),
      ...Object.entries(args.files ?? {}).map(([name, content]) =>
        written(name, content),
      ),
      written("bootstrap.sh", args.script),
    ],
    // Debian's initramfs mounts /run without leave to execute.
    runcmd: [["sh", `${directory}/bootstrap.sh`]],
  };
  return `#cloud-config\n${stringify(document, { lineWidth: 0 })}`;
}
