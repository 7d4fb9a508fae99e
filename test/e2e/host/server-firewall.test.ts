/**
 * The firewall of a server against a neighbour that routes to containers' own
 * addresses, where Docker itself lets everybody through. In network namespaces
 * of their own: a server with two containers, and two neighbours.
 *
 * @module-tag surroundings
 * @module-tag gateway
 * @module-tag host
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machine } from "../gateway-rules.ts";

const firewall = readFileSync(
  join(
    import.meta.dirname,
    "../../../infra/platforms/host/server-firewall/nftables.conf",
  ),
  "utf8",
);
const addresses = {
  neighbour: "192.0.2.2",
  elsewhere: "10.9.0.2",
  container: "172.18.0.2",
};
const server = "192.0.2.1";

/** Docker's own: published ports, and forwarding that was on before it started. */
const docker = `
table ip nat {
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local iifname != "br-0123456789ab" tcp dport { 3000, 6379 } dnat to 172.18.0.2
  }
}`;

beforeAll(async () => {
  await machine(
    `for name in server neighbour elsewhere container other; do
       ip netns add wall-$name
       ip -n wall-$name link set lo up
     done
     # usage: join NAME ADDRESS BRIDGE GATEWAY
     join() {
       ip -n wall-server link add $3 type bridge
       ip -n wall-server address add $4 dev $3
       ip -n wall-server link add port-$1 master $3 type veth peer name eth0 netns wall-$1
       ip -n wall-server link set port-$1 up
       ip -n wall-server link set $3 up
       ip -n wall-$1 address add $2/16 dev eth0
       ip -n wall-$1 link set eth0 up
       ip -n wall-$1 route add default via \${4%/*}
     }
     join neighbour ${addresses.neighbour} lan ${server}/16
     join elsewhere ${addresses.elsewhere} vpn 10.9.0.1/16
     join container ${addresses.container} br-0123456789ab 172.18.0.1/16
     join other 172.17.0.2 docker0 172.17.0.1/16
     ip netns exec wall-server sysctl -q -w net.ipv4.ip_forward=1
     ip netns exec wall-server nft -f -
     for at in neighbour:80 elsewhere:80 container:3000 container:5432 container:6379; do
       name=\${at%:*} port=\${at#*:}
       systemd-run --quiet --collect --unit=wall-$name-$port ip netns exec wall-$name \
         socat TCP-LISTEN:$port,reuseaddr,fork "SYSTEM:echo $name"
       until ip netns exec wall-$name ss -Hltn "sport = :$port" | grep -q .; do sleep 0.1; done
     done`,
    docker,
  );
});

afterAll(() =>
  machine(
    `systemctl stop 'wall-*'
     for name in server neighbour elsewhere container other; do ip netns delete wall-$name; done`,
  ),
);

/** Who answers; empty when nobody does. */
const answer = (from: string, address: string, port: number) =>
  machine(
    `ip netns exec wall-${from} socat -u TCP:${address}:${String(port)},connect-timeout=3 - 2>/dev/null || true`,
  );

/** Loads the firewall as firewall.sh does. */
const load = (operators: string) =>
  machine(
    `ip netns exec wall-server nft -D 'closed={ 6379 }' -D 'operators={ ${operators} }' -f -`,
    firewall,
  );

const routed = [3000, 5432, 6379];

test("without it a neighbour reaches every port of a container", async () => {
  for (const port of routed) {
    await expect
      .poll(() => answer("neighbour", addresses.container, port))
      .toBe("container");
  }
  expect(await answer("neighbour", server, 6379)).toBe("container");
});

describe("with it", () => {
  beforeAll(() => load("192.0.0.8"));

  test.each(routed)("none by route: %i", async (port) => {
    expect(await answer("neighbour", addresses.container, port)).toBe("");
  });

  test("of those that are published, what is open", async () => {
    expect(await answer("neighbour", server, 3000)).toBe("container");
    expect(await answer("neighbour", server, 6379)).toBe("");
  });

  test("the server reaches all", async () => {
    for (const port of routed) {
      expect(await answer("server", addresses.container, port)).toBe(
        "container",
      );
    }
  });

  test("a container reaches the world", async () => {
    expect(await answer("container", addresses.neighbour, 80)).toBe(
      "neighbour",
    );
  });

  test("what containers reach of each other is Docker's to say", async () => {
    expect(await answer("other", addresses.container, 5432)).toBe("container");
  });

  test("what is no container's is routed on", async () => {
    expect(await answer("neighbour", addresses.elsewhere, 80)).toBe(
      "elsewhere",
    );
  });

  test("an operator reaches all", async () => {
    await load(addresses.neighbour);
    for (const port of routed) {
      expect(await answer("neighbour", addresses.container, port)).toBe(
        "container",
      );
    }
    expect(await answer("neighbour", server, 6379)).toBe("container");
  });
});
