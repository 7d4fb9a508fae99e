/** The rows of a stack of the platform host: its servers are asked by SSH. */
import { hostsOf } from "../../infra/gateway/rule-maps.ts";
import { acmeAccount } from "../../infra/machine/live-state.ts";
import { parseLook } from "../../infra/platforms/host/pieces.ts";
import type { HostDeployment, ServerMachine } from "../deployments/host.ts";
import { accountRow } from "./account.ts";
import { daytonaRows } from "./daytona/stack-rows.ts";
import { daytonaProxyRows } from "./daytona-proxy.ts";
import { edgeRows } from "./edge-rows.ts";
import { foundSandboxesRows } from "./found-sandboxes.ts";
import { otherSitesRows } from "./other-sites.ts";
import { type Row, bad, good, lookAt, warning } from "./row.ts";

export async function hostStackRows(
  deployment: HostDeployment,
): Promise<Row[]> {
  const { servers, bundlesOf, config } = deployment;
  const { upstream } = config;
  const [edge] = await deployment.edges();
  const gateways = await deployment.gateways();
  const rows = await Promise.all([
    ...(edge ? [edgeServerRows(deployment, edge)] : []),
    ...(edge && upstream.mode === "daytona"
      ? [daytonaProxyRows(edge, upstream.url)]
      : []),
    ...(edge && config.host?.otherSites
      ? [otherSitesRows(edge, config.host.otherSites)]
      : []),
    ...servers.map((server) => serverRows(server, bundlesOf(server))),
    ...servers.map(baseSystemRows),
    ...gateways.map(foundSandboxesRows),
    ...gateways.map((gateway) =>
      daytonaRows(gateway, hostsOf(config.egress?.egressRules ?? [])),
    ),
    ...gateways.map(firewallRows),
  ]);
  return rows.flat();
}

/** The certificate, and the way of the names to the edge. */
function edgeServerRows(
  deployment: HostDeployment,
  edge: ServerMachine,
): Promise<Row[]> {
  const { directory } = deployment.config.certificate;
  return edgeRows(deployment, edge.name, (orderedBy) =>
    lookAt(
      "account",
      async () => {
        const said = await edge.script("run-certificate", {
          VERB: "find-account",
        });
        return accountRow(directory, said, orderedBy);
      },
      `is ${new URL(directory).host} reachable from there, and ${acmeAccount.name} whole?`,
    ),
  );
}

/** What was installed on a server, and whether it still is as it was. */
function serverRows(
  { name: address, script }: ServerMachine,
  bundles: readonly string[],
): Promise<Row[]> {
  const up = "pulumi up puts it in place again";
  return lookAt(
    address,
    async () => {
      const look = parseLook(await script("look"));
      const missing = bundles
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

/** What programs run from, and whether updates reach it. */
function baseSystemRows({ name, script }: ServerMachine): Promise<Row[]> {
  const what = `${name}: programs`;
  return lookAt(
    what,
    async () => {
      const [haproxy = "", tree = "", update] = (
        await script("base-system")
      ).split("\n");
      const is = `HAProxy ${haproxy}, tree ${tree}`;
      return update === "success"
        ? good(what, is)
        : bad(
            what,
            `${is}; the last update failed`,
            "there: journalctl -u daytona-base-system says why; systemctl start daytona-base-system tries again",
          );
    },
    `see the rows of ${name}`,
  );
}

/** Whether somebody empties nftables now and then. */
function firewallRows({ name, script }: ServerMachine): Promise<Row[]> {
  const what = `${name}: firewall`;
  return lookAt(
    what,
    async () => {
      const said = await script("firewall-restored");
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
    `see the rows of ${name}`,
  );
}
