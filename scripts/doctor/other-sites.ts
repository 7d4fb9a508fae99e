/** The edge's neighbour on its own ports: whether it takes what is not a sandbox's. */
import { hostAndPort } from "../../infra/config/address.ts";
import type { HostSettings } from "../../infra/platforms/host/settings.ts";
import type { ServerMachine } from "../deployments/host.ts";
import { type Row, good, lookAt } from "./row.ts";

export async function otherSitesRows(
  edge: ServerMachine,
  sites: NonNullable<HostSettings["otherSites"]>,
): Promise<Row[]> {
  const rows = await Promise.all(
    (["https", "http"] as const).map((key) => {
      const { host, port } = hostAndPort(sites[key]);
      const what = `other sites, ${key} at ${sites[key]}`;
      return lookAt(
        what,
        async () => {
          await edge.run(
            `timeout 5 bash -c 'exec 3<>/dev/tcp/${host}/${String(port)}'`,
          );
          return good(what, "takes connections");
        },
        `start the server's own web server, and let it listen there (ss -Hltnp 'sport = :${String(port)}'), or correct host.otherSites.${key}`,
      );
    }),
  );
  return rows.flat();
}
