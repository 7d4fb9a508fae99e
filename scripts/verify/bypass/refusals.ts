/** What the gateway's log says of one sandbox, from a moment on. */
import { denialUnits, denialsOf } from "../../egress/denials.ts";

/** Runs a script on the gateway's machine as root; its standard output. */
export type OnGateway = (script: string) => Promise<string>;

/** Rows as `by wanted reason`. */
export type Refusals = () => Promise<string[]>;

/** Begins now. @param sandbox its address */
export async function refusalsOf(
  sandbox: string,
  onGateway: OnGateway,
): Promise<Refusals> {
  const shown = await onGateway("journalctl --lines=0 --show-cursor");
  const cursor = /cursor: (\S+)/.exec(shown)?.[1] ?? "";
  const units = denialUnits.map((unit) => `--unit=${unit}`).join(" ");
  return async () => {
    const journal = await onGateway(
      `journalctl --sync; journalctl --no-pager --output=json --after-cursor='${cursor}' ${units}`,
    );
    return denialsOf(journal)
      .filter((denial) => denial.sandbox === sandbox)
      .map(({ by, wanted, reason }) => `${by} ${wanted} ${reason}`);
  };
}
