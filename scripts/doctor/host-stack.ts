/** The rows of a stack of the platform host: its servers are asked by SSH. */
import { heldCertificate } from "../../infra/certificate/held-certificate.ts";
import { lookAtServer } from "../../infra/platforms/host/look.ts";
import {
  type Server,
  remoteScript,
} from "../../infra/platforms/host/server.ts";
import {
  publicAddresses,
  serversOf,
} from "../../infra/platforms/host/settings.ts";
import { connectBySsh } from "../../infra/platforms/host/ssh.ts";
import type { OwnStack } from "../own-stack.ts";
import { accountRow } from "./account.ts";
import { edgeRows } from "./edge-rows.ts";
import { type Row, bad, good, lookAt, warning } from "./row.ts";

export async function hostStackRows(args: OwnStack): Promise<Row[]> {
  const rows = await Promise.all([
    edgeServerRows(args),
    ...serversOf(args.host).map((server) => serverRows(server, args)),
    ...serversOf(args.host)
      .filter((server) => bundlesOf(server, args).includes("gateway"))
      .map((server) => firewallRows(server, args)),
  ]);
  return rows.flat();
}

/** What was installed on a server, and whether it still is as it was. */
function serverRows(server: Server, args: OwnStack): Promise<Row[]> {
  const { address } = server;
  const up = "pulumi up puts it in place again";
  return lookAt(
    address,
    async () => {
      const look = await lookAtServer(server, args.privateKey);
      const missing = bundlesOf(server, args)
        .filter((name) => !look[name])
        .map((name) => bad(`${address}: ${name}`, "not installed", up));
      const found = Object.entries(look).map(([name, { changes }]) =>
        changes.length === 0
          ? good(`${address}: ${name}`, "as it was installed")
          : bad(
              `${address}: ${name}`,
              `changed by hand: ${changes.join("; ")}`,
              up,
            ),
      );
      return [...missing, ...found];
    },
    "log in as pulumi up would: ssh, with the same user and key",
  );
}

/** Whether somebody empties nftables now and then. */
function firewallRows(server: Server, args: OwnStack): Promise<Row[]> {
  const what = `${server.address}: firewall`;
  return lookAt(
    what,
    async () => {
      await using connection = await connectBySsh(server, args.privateKey);
      const said = await connection.run(
        remoteScript(server, "firewall-restored"),
      );
      const day = Date.now() - 86_400_000;
      const moments = said
        .split("\n")
        .filter((moment) => Date.parse(moment) > day);
      return moments.length === 0
        ? good(what, "stood for a day")
        : warning(
            what,
            `was emptied by somebody and loaded again ${String(moments.length)} times in a day, at ${moments.at(-1) ?? ""} the last time`,
            "sandboxes reach nothing in such a moment; find who runs nft flush ruleset or restarts nftables.service: journalctl --until that time",
          );
    },
    `see the rows of ${server.address}`,
  );
}

/** Names of the bundles that the stack puts on a server. */
function bundlesOf({ address }: Server, { config, host }: OwnStack): string[] {
  const runners = host.runners ?? [host];
  const isRunner = runners.some((runner) => runner.address === address);
  return [
    "server",
    ...(address === host.address ? ["certificate", "edge"] : []),
    ...(isRunner && config.egress?.gateway ? ["gateway"] : []),
  ];
}

/** The certificate, and the way of the names to the edge. */
function edgeServerRows(stack: OwnStack): Promise<Row[]> {
  const { config, host, privateKey } = stack;
  return lookAt(
    "certificate",
    async () => {
      await using server = await connectBySsh(host, privateKey);
      return await edgeRows({
        config,
        store: {
          read: async (DOCUMENT) =>
            (await server.run(
              remoteScript(host, "read-document", { DOCUMENT }),
            )) || undefined,
        },
        certificate: heldCertificate.omit({ key: true }),
        name: host.address,
        edge: publicAddresses(host),
        account: (orderedBy) => {
          const { directory } = config.certificate;
          return lookAt(
            "account",
            async () => {
              const find = { VERB: "find-account" };
              const said = await server.run(
                remoteScript(host, "run-certificate", find),
              );
              return accountRow(directory, said, orderedBy);
            },
            `is ${new URL(directory).host} reachable from there, and acme-account.json whole?`,
          );
        },
        status: () => server.run(remoteScript(host, "edge-status")),
      });
    },
    `see the rows of ${host.address}`,
  );
}
