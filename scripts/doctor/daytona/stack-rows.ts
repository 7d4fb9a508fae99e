/** The server's half of these checks, for a server of a stack. */
import { lookup } from "node:dns/promises";
import type { ServerMachine } from "../../deployments/host.ts";
import { type Row, bad, good, lookAt } from "../row.ts";
import { judgeAll } from "./causes/table.ts";
import { daytonaVersion, sandboxEgress } from "./facts.ts";
import { observedBySsh } from "./observe.ts";
import { serverScript } from "./server.ts";

/** @param hosts that sandboxes are to reach; the first one is tried */
export function daytonaRows(
  { name, run }: ServerMachine,
  [host]: readonly string[],
): Promise<Row[]> {
  if (host === undefined) return Promise.resolve([]);
  const what = `${name}: Daytona`;
  return lookAt(
    what,
    async () => {
      const { address } = await lookup(host, { family: 4 });
      const target = { name: host, address };
      // A check that fails is a result, and ends nothing.
      const said = await run(`set +e\n${serverScript(target)}`);
      const seen = observedBySsh({ ssh: name, target }, said);
      const named = judgeAll(seen).flatMap(({ cause, verdict }) =>
        verdict.state === "named"
          ? [
              bad(
                `${what}, ${cause.title}`,
                verdict.because,
                verdict.fix.join("\n         "),
              ),
            ]
          : [],
      );
      if (named.length > 0) return named;
      const version = daytonaVersion(seen) ?? "of an unknown version";
      const egress = sandboxEgress(seen);
      const reached =
        egress === undefined
          ? "no sandbox runs to try it in"
          : `${host} by a sandbox: ${egress}`;
      return good(what, `${version}; no known cause of trouble; ${reached}`);
    },
    `see the rows of ${name}; npm run doctor -- --daytona --ssh ${name} tells more`,
  );
}
