/** Why a sandbox gets nowhere. */
import {
  type Egress,
  daytonasJump,
  egressOf,
  overlaps,
  rulesFault,
  runnerOf,
  sandboxEgress,
  serverOf,
  share,
  uplink,
} from "../facts.ts";
import type {
  NetworkSeen,
  Observations,
  RulesSeen,
  ServerSeen,
} from "../observations.ts";
import {
  type Cause,
  type Verdict,
  excluded,
  named,
  possible,
  unknown,
} from "./cause.ts";

const needsSsh = "needs a login: --ssh root@SERVER";

/** @returns a verdict where egress itself decides, or is not known */
function byEgress(
  o: Observations,
  when: readonly Egress[],
): Verdict | undefined {
  const egress = sandboxEgress(o);
  if (egress === undefined) {
    return unknown(
      o.sandbox?.error ?? "nothing was tried from inside a sandbox",
    );
  }
  if (egress === "works") {
    return excluded("sandbox: egress", `${o.asked.target.name} answers`);
  }
  return when.includes(egress)
    ? undefined
    : excluded("sandbox: egress", `it fails otherwise: ${egress}`);
}

export const subnetCollision: Cause = {
  id: "8",
  title: "two networks have the same addresses",
  judge(o) {
    const server = serverOf(o);
    if (!server) {
      const works = byEgress(o, ["no TCP", "no name"]);
      return works?.state === "excluded" ? works : unknown(needsSsh);
    }
    const { runner } = server;
    const routes = (runner?.network ?? server.host).routes;
    const [overlap] = overlaps(routes);
    const where = runner?.isContainer ? `in ${runner.name}` : "on the server";
    if (!overlap) {
      return excluded("subnets", `each route ${where} has its own addresses`);
    }
    const { first, second } = overlap;
    const because = `${where} both ${first.interface} (${first.to}) and ${second.interface} (${second.to}) have these addresses, so answers go to the wrong one`;
    if (!runner?.isContainer && sandboxEgress(o) === "works") {
      return excluded("sandbox: egress", `${because}; it does no harm here`);
    }
    return named(because, ...collisionFix(server));
  },
  stack:
    "Nothing: the runner itself is cut off. The stack needs another subnet there as well.",
};

/** Compose's network gets another subnet: the runner's own is fixed in its code. */
function collisionFix({ runner, containers }: ServerSeen): string[] {
  const project = containers.find(
    ({ service }) => service === "runner",
  )?.project;
  return runner?.isContainer
    ? [
        "in Daytona's compose file:",
        "  networks:",
        "    daytona-network:",
        "      driver: bridge",
        "      ipam: {config: [{subnet: 10.210.0.0/24}]}",
        `docker compose${project ? ` -p ${project}` : ""} down && docker compose${project ? ` -p ${project}` : ""} up -d   # sandboxes that are not archived are lost`,
      ]
    : [
        'in /etc/docker/daemon.json: {"bip": "10.211.0.1/16", "default-address-pools": [{"base": "10.212.0.0/14", "size": 24}]}',
        "systemctl restart docker",
      ];
}

export const noServerEgress: Cause = {
  id: "S",
  title: "the server itself does not get out",
  judge(o) {
    const server = serverOf(o);
    if (!server) return unknown(needsSsh);
    const egress = egressOf(server.host);
    if (egress === undefined) return unknown("there is no curl on the server");
    return egress === "works"
      ? excluded("server: egress", `${o.asked.target.name} answers`)
      : named(
          `from the server ${o.asked.target.name} fails as well: ${egress}`,
          `curl -v https://${o.asked.target.name}/`,
          "open port 443 outwards in the provider's firewall, or name the network's proxy: /etc/systemd/system/docker.service.d/http-proxy.conf",
        );
  },
  stack: "Nothing: the gateway goes out by the server's own network.",
};

export const packetSize: Cause = {
  id: "9",
  title: "packets are too large for the way out (MTU)",
  judge(o) {
    const decided = byEgress(o, ["no TLS"]);
    if (decided) return decided;
    const sandbox = o.sandbox?.value;
    const own = uplink(sandbox);
    const server = serverOf(o);
    const small = [
      { of: "the runner's", link: uplink(server?.runner?.network) },
      { of: "the server's", link: uplink(server?.host) },
    ].find(({ link }) => link && own && link.mtu < own.mtu);
    const came = (size: number) =>
      sandbox?.pings.find((ping) => ping.size === size)?.came;
    const shows =
      "TCP connects, and the TLS handshake hangs, whose answer is the first large packet";
    const mtu = small?.link?.mtu ?? 1400;
    const mss = small ? "--clamp-mss-to-pmtu" : `--set-mss ${String(mtu - 40)}`;
    const inside = server?.runner?.isContainer
      ? `; the same in ${server.runner.name}, whose network "runner-bridge" is to be made anew with that option`
      : "";
    const fix = [
      `at once, on the server: iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS ${mss}`,
      `to stay, in /etc/docker/daemon.json: {"default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "${String(mtu)}"}}}; networks that exist keep theirs${inside}`,
    ];
    if (small?.link) {
      return named(
        `${shows}; the sandbox's interface has ${String(own?.mtu)}, and ${small.of} uplink ${small.link.name} ${String(small.link.mtu)}`,
        ...fix,
      );
    }
    if (came(1300) && came(1500) === false) {
      return named(
        `${shows}; packets of 1300 bytes come back, of 1500 none`,
        ...fix,
      );
    }
    return possible(
      `${shows}; or a firewall drops what it reads in the handshake`,
      ...fix,
    );
  },
  stack:
    "The gateway ends the sandbox's connection on the server, and makes its own by the server's uplink: with it this goes away for listed hosts.",
};

/** Where what a sandbox sends is lost, as far as probes tell. */
export function faultyRules(o: Observations) {
  const server = serverOf(o);
  if (!server) return undefined;
  const { runner } = server;
  const source = runner?.sandbox?.address;
  const where = "the server";
  if (!runner?.isContainer || !runner.rules) {
    return { of: "server", where, rules: server.rules, source } as const;
  }
  if (egressOf(runner.network) !== "no TCP") {
    const { name, rules } = runner;
    return { of: "runner", where: name, rules, source } as const;
  }
  const network = uplinkNetwork(runner.network);
  return { of: "server", where, rules: server.rules, source: network } as const;
}

/** The network of a namespace's default route. */
function uplinkNetwork(network: NetworkSeen | undefined): string | undefined {
  const name = uplink(network)?.name;
  return network?.routes.find(
    (route) => route.interface === name && !route.to.endsWith("/0"),
  )?.to;
}

function variantFault({ rules, otherRules, iptables, error }: RulesSeen) {
  const used = iptables.includes("nf_tables") ? "nft" : "legacy";
  const other = used === "nft" ? "legacy" : "nft";
  const masquerades = (all: readonly string[]) =>
    all.some((rule) => /-j (MASQUERADE|SNAT)/.test(rule));
  if (otherRules.some((rule) => rule.startsWith("filter: :FORWARD DROP"))) {
    return `the rules of iptables-${other}, which iptables (${used}) does not show, drop what is forwarded`;
  }
  if (!masquerades(rules) && masquerades(otherRules)) {
    return `Docker's rules are those of iptables-${other}, and iptables here is ${used}`;
  }
  if (error !== undefined)
    return `iptables (${used}) cannot be asked: ${error}`;
  return undefined;
}

export const iptablesVariant: Cause = {
  id: "11",
  title: "iptables: legacy and nft at once",
  judge(o) {
    const decided = byEgress(o, ["no TCP"]);
    if (decided) return decided;
    const at = faultyRules(o);
    if (!at) return unknown(needsSsh);
    const fault = variantFault(at.rules);
    // Who may not read them does not know either.
    if (!fault || (at.rules.error !== undefined && !serverOf(o)?.isRoot)) {
      return at.rules.error === undefined
        ? excluded(
            "rules",
            `${at.where} has ${at.rules.iptables || "no iptables"}, and nothing in the other variant`,
          )
        : unknown(at.rules.error);
    }
    const inside = at.of === "server" ? "" : `docker exec ${at.where} `;
    return named(
      `${at.where}: ${fault}`,
      `${inside}iptables-legacy -S FORWARD; ${inside}iptables-legacy -P FORWARD ACCEPT`,
      at.of === "server"
        ? "update-alternatives --set iptables /usr/sbin/iptables-nft; systemctl restart docker"
        : `in Daytona's compose file, for runner: DOCKER_IPTABLES_LEGACY=1 where the kernel has the modules of legacy only; docker compose up -d runner`,
    );
  },
  stack:
    "The gateway's rules are nftables' own and stand beside either; Docker's must still work.",
};

export const forwardingGone: Cause = {
  id: "10",
  title: "forwarding rules are gone, or closed",
  judge(o) {
    const decided = byEgress(o, ["no TCP"]);
    if (decided) return decided;
    const at = faultyRules(o);
    if (!at) return unknown(needsSsh);
    const { of, where, rules, source } = at;
    if (rules.error !== undefined) return unknown(rules.error);
    const fault = rulesFault(rules, source);
    if (!fault) {
      return excluded("rules", `${where} forwards, and masquerades`);
    }
    const inside = of === "server" ? "" : `docker exec ${where} `;
    const units = serverOf(o)?.units ?? [];
    const firewall = ["ufw", "firewalld", "nftables"].find((unit) =>
      units.includes(unit),
    );
    const restart =
      of === "server"
        ? "systemctl restart docker   # restarts containers, Daytona's among them"
        : `docker restart ${where}`;
    const fixes = {
      switch: [`${inside}sysctl -w net.ipv4.ip_forward=1`],
      rules: [restart],
      closed: [
        `${inside}iptables -S FORWARD; ${inside}nft list chains   # which rule it is`,
        ...(firewall === "ufw"
          ? ['in /etc/default/ufw: DEFAULT_FORWARD_POLICY="ACCEPT"; ufw reload']
          : []),
        restart,
      ],
    };
    return named(
      `${where}: ${fault.found}${firewall === undefined || of !== "server" ? "" : `; ${firewall} runs there, and a reload of it removes or closes what Docker has set`}`,
      ...fixes[fault.what],
      ...(firewall === "nftables" && of === "server"
        ? ["take 'flush ruleset' out of /etc/nftables.conf"]
        : []),
    );
  },
  stack:
    "The gateway is local to the server, so listed hosts need no forwarding out of it; its unit puts its own rules back when somebody empties them.",
};

export const ownRules: Cause = {
  id: "14",
  title: "Daytona's own rules close the sandbox",
  judge(o) {
    const record = o.api?.sandbox?.value;
    const egress = sandboxEgress(o);
    const decided = byEgress(o, ["no TCP", "no name"]);
    const limits = record?.networkBlockAll
      ? "networkBlockAll is set"
      : record?.networkAllowList
        ? `networkAllowList is ${record.networkAllowList}`
        : undefined;
    const fix = `curl -X POST -H "Authorization: Bearer $DAYTONA_API_KEY" -H "Content-Type: application/json" -d '{"networkBlockAll":false,"networkAllowList":"0.0.0.0/0"}' ${o.asked.api ?? "https://…/api"}/sandbox/${record?.id ?? o.asked.sandbox ?? "ID"}/network-settings`;
    if (limits !== undefined && egress !== "works") {
      return named(
        `${limits}${record?.networkBlockAll ? "" : "; name servers that are not in it are closed as well"}`,
        fix,
      );
    }
    const jump = daytonasJump(o);
    if (jump && egress !== "works") {
      const runner = runnerOf(o);
      const { address = "" } = runner?.sandbox ?? {};
      const rule = `DOCKER-USER -s ${address}/32 -j ${jump.chain}`;
      return named(
        jump.isOwn
          ? `the runner has a rule for it: ${rule}`
          : `a rule of a sandbox that is gone still has this one's address: ${rule}`,
        ...(jump.isOwn
          ? [fix]
          : [
              `${runner?.isContainer ? `docker exec ${runner.name} ` : ""}iptables -D ${rule}`,
            ]),
      );
    }
    if (decided) return decided;
    if (serverOf(o)?.runner) {
      return excluded(
        "rules",
        "no rule of Daytona's has the sandbox's address",
      );
    }
    return unknown(
      record
        ? `its record closes nothing; an old rule may: ${needsSsh}`
        : needsSsh,
    );
  },
  stack:
    "Daytona's rules come first: with networkBlockAll the gateway cannot be reached either. With the gateway leave them open: it is the list.",
};

export const noNames: Cause = {
  id: "12",
  title: "only names fail (DNS)",
  judge(o) {
    const decided = byEgress(o, ["no name"]);
    if (decided) return decided;
    const servers = o.sandbox?.value?.resolv.filter((line) =>
      /nameserver|ExtServers/.test(line),
    );
    const runner = runnerOf(o);
    const upstream = runner?.network ?? serverOf(o)?.host;
    const fails = upstream?.lookup && upstream.lookup.exitCode !== 0;
    const where = runner?.isContainer ? runner.name : "the server";
    const at = fails ? `; in ${where} names fail as well` : "";
    return named(
      `by its address ${o.asked.target.name} answers, by name not; the sandbox's /etc/resolv.conf: ${servers?.join(", ") || "no name server"}${at}`,
      fails
        ? `docker exec ${where} cat /etc/resolv.conf   # whom it asks; put right the server's own name servers`
        : 'in the /etc/docker/daemon.json of the sandboxes\' Docker: {"dns": ["9.9.9.9"]}, or a name server that may be asked from there',
      runner?.isContainer
        ? `docker restart ${runner.name}`
        : "systemctl restart docker",
    );
  },
  stack:
    "The gateway is the sandboxes' name server for listed hosts, and asks the root servers itself.",
};

export const proxyVariables: Cause = {
  id: "13",
  title: "a proxy in the environment takes requests",
  judge(o) {
    const { proxies = [] } = o.sandbox?.value ?? {};
    const decided = byEgress(o, ["no proxy", "no TCP", "no name", "no TLS"]);
    if (decided) return decided;
    if (proxies.length === 0) {
      return excluded("sandbox: proxy variables", "there are none");
    }
    const because = `${proxies.join(", ")} in the sandbox`;
    const fix = [
      "unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY   # in the sandbox, for a try",
      "take them out of the snapshot's image (ENV, npm config, /etc/environment), or set NO_PROXY",
    ];
    return sandboxEgress(o) === "no proxy"
      ? named(`${because}: by it requests fail, without it they arrive`, ...fix)
      : possible(`${because}, and neither way works`, ...fix);
  },
  stack:
    "With the gateway sandboxes need no proxy variables; those of a snapshot must go.",
};

/**
 * For rows: Docker networks of the server that share addresses with the runner's.
 * Docker gives "bridge" the same on each.
 */
export function sharedNetworks({ networks, runner }: ServerSeen): string[] {
  const inner = runner?.networks.flatMap(({ subnets }) => subnets) ?? [];
  return networks
    .filter(({ subnets }) =>
      subnets.some((subnet) =>
        inner.some(
          (one) => isIpv4(subnet) && isIpv4(one) && share(subnet, one),
        ),
      ),
    )
    .map(({ name }) => name)
    .filter((name) => name !== "bridge");
}

const isIpv4 = (subnet: string) => !subnet.includes(":");
