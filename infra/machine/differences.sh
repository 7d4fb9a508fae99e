#!/bin/sh
# Prints how the walls in force differ from those that a bundle's files make:
# these are loaded into a network that ends with the command. Nothing else
# changes. The bundle is the one in the name, differences-BUNDLE.sh.
set -eu
lib=/usr/local/lib/daytona-edge
bundle=${0##*/differences-}
bundle=${bundle%.sh}
firewall=$lib/firewall-$bundle.sh
# Where the gateway's units are; the edge and the server have no other network.
network=/run/daytona-gateway-runner/namespace
there=
[ "$bundle" != gateway ] || [ ! -e "$network" ] || there="nsenter --net=$network"
set -a
# shellcheck disable=SC1090
. "/etc/daytona-edge/$bundle/env"
# The gateway's: in a network that ends none could be found.
# shellcheck disable=SC2034
[ ! -e "$lib/interfaces-$bundle.sh" ] ||
  SANDBOX_INTERFACES=$($there "$lib/interfaces-$bundle.sh" | paste -sd " ")
set +a
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # for the shell in there
unshare --net sh -ec '"$1"; exec "$1" --list' with "$firewall" >"$work/wanted"
$there "$firewall" --list >"$work/is"
# Where that is a container's network, the server has a wall of its own.
if [ "$bundle" = gateway ] && [ -e /var/lib/daytona-edge/gateway/runner-container ]; then
  list="nft --stateless list table bridge daytona_runner"
  unshare --net sh -ec "nft -f /etc/daytona-edge/gateway/nftables-runner.conf; $list" >>"$work/wanted"
  $list >>"$work/is" 2>/dev/null || true
fi
# 1: they differ. More is trouble, and ends this with an error.
diff "$work/wanted" "$work/is" >"$work/diff" || [ $? = 1 ]
sed -n 's/^>[[:space:]]*/unexpected: /p; s/^<[[:space:]]*/missing: /p' "$work/diff"
