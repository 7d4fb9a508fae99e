/** The rows of a stack of the platform host: its servers are asked by SSH. */
import {
  certificateDocument,
  heldCertificate,
} from "../../infra/certificate/held-certificate.ts";
import {
  certificateReport,
  reportDocument,
} from "../../infra/certificate/report.ts";
import { readDocument } from "../../infra/certificate/store.ts";
import { lookAtServer } from "../../infra/platforms/host/look.ts";
import {
  type Server,
  remoteScript,
} from "../../infra/platforms/host/server.ts";
import { publicAddresses } from "../../infra/platforms/host/settings.ts";
import { runBySsh } from "../../infra/platforms/host/ssh.ts";
import type { OwnStack } from "../own-stack.ts";
import { certificateRow, limitRow, renewalRow } from "./certificate.ts";
import { edgeRow, liveStateRow } from "./edges.ts";
import { recordRows } from "./records.ts";
import { type Row, bad, good, lookAt } from "./row.ts";

export async function hostStackRows(args: OwnStack): Promise<Row[]> {
  const { host } = args;
  const servers = new Map<string, Server>(
    [host, ...(host.runners ?? [])].map((server) => [server.address, server]),
  );
  const rows = await Promise.all([
    edgeRows(args),
    ...[...servers.values()].map((server) => serverRows(server, args)),
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
function edgeRows({ config, host, privateKey }: OwnStack): Promise<Row[]> {
  const { domain } = config;
  const { directory } = config.certificate;
  const edge = publicAddresses(host);
  const onServer = (line: string) => runBySsh(host, privateKey, line);
  const store = {
    read: async (DOCUMENT: string) => {
      const script = remoteScript(host, "read-document", { DOCUMENT });
      return (await onServer(script)) || undefined;
    },
  };
  return lookAt(
    "certificate",
    async () => {
      const now = new Date();
      const [read, report] = await Promise.all([
        readDocument(
          store,
          certificateDocument,
          heldCertificate.omit({ key: true }),
        ),
        readDocument(store, reportDocument, certificateReport),
      ]);
      const held = read && "value" in read ? read.value : undefined;
      const asked = await Promise.all([
        recordRows({ config, edge, account: held?.account }),
        edgeRow({
          name: host.address,
          addresses: [...edge.ipv4, ...edge.ipv6],
          domain,
          serial: held?.serial,
        }),
        liveStateRow(host.address, () =>
          onServer(remoteScript(host, "edge-status")),
        ),
      ]);
      return [
        certificateRow(read, [`*.${domain}`, domain], now),
        renewalRow(report, now),
        limitRow(report, directory, now),
        ...asked.flat(),
      ];
    },
    `see the rows of ${host.address}`,
  );
}
