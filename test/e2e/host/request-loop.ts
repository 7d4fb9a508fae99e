/** Requests one after the other, each on a connection of its own, while something happens. */
import { execa } from "execa";
import { insideLab } from "../../../scripts/lab/namespaces.ts";
import { trustFile } from "../../../scripts/checkout.ts";

const script = `
  while :; do
    curl -sS -o /dev/null -w '%{http_code}\\n' --max-time 60 --cacert "$0" "$1" 2>&1
    if read -r -t 0.05 _; then break; fi
  done
  exit 0`;

/** @returns what ends it, and says how it went */
export function requestLoop(
  url: string,
): () => Promise<{ answered: number; failed: string[] }> {
  const [file, ...args] = insideLab(["bash", "-c", script, trustFile, url]);
  const loop = execa(file, args, { stdin: "pipe" });
  return async () => {
    loop.stdin.end("end\n");
    const { stdout } = await loop;
    const lines = stdout.split("\n");
    return {
      answered: lines.length,
      failed: lines.filter((line) => line !== "200"),
    };
  };
}
