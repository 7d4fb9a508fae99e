#!/bin/sh
# The networks of a Daytona server that runs its sandboxes by the server's own
# Docker: the runner's, which has no traffic between containers, and Compose's.
# Of the runner's, the bridge's name and IPv6 are the lab's.
set -eu
here=/usr/local/lib/daytona-lab

network() {
  docker network inspect "$1" >/dev/null 2>&1 || docker network create "$@" >/dev/null
}
network daytona_daytona-network --subnet 172.18.0.0/16 \
  -o com.docker.network.bridge.name=br-compose
network runner-bridge --subnet 172.20.0.0/16 \
  -o com.docker.network.bridge.enable_icc=false \
  -o com.docker.network.bridge.name=br-sandbox \
  --ipv6 --subnet 2001:db8:20::/64 --gateway 2001:db8:20::1

# The lab's edges reach sandboxes with upstream "direct", which whoever runs
# Docker allows in this chain.
for edge in 198.18.0.4 198.18.0.5 198.18.0.6; do
  set -- DOCKER-USER -s "$edge" -o br-sandbox -j ACCEPT
  iptables -C "$@" 2>/dev/null || iptables -I "$@"
done
sysctl -q -w net.ipv6.conf.all.forwarding=1
nft -f "$here/way-out.nft"
