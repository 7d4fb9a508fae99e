#!/bin/sh
# Loads the firewall as one transaction; with --check it only tries it, and with
# --list it prints what is in force, a table that is not there as nothing. Where
# Daytona's runner is in a container, the server has one wall, and the rest stands
# in the container's network.
# usage: firewall.sh [--check | --list]
set -eu
etc=/etc/daytona-edge/gateway
state=/var/lib/daytona-edge/gateway/ports
# Both marks of nftables.conf.
marks=0x3000000
namespace=/run/daytona-gateway-runner/namespace
in_container=/var/lib/daytona-edge/gateway/runner-container
is_server() { [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ]; }

if [ -e "$in_container" ] && is_server; then
  if [ "${1:-}" = --list ]; then
    nft --stateless list table bridge daytona_runner 2>/dev/null || true
  elif [ "${1:-}" = --check ]; then
    nft --check -f "$etc/nftables-runner.conf"
  else
    nft -f "$etc/nftables-runner.conf"
  fi
  # Before there is a container, and of one that has ended, it is an empty one.
  [ ! -e "$namespace" ] || exec nsenter --net="$namespace" "$0" "$@"
  exit 0
fi

if [ "${1:-}" = --list ]; then
  for family in inet bridge; do
    nft --stateless list table "$family" daytona_egress 2>/dev/null || true
  done
  nft --stateless list table ip daytona_names 2>/dev/null || true
  for version in -4 -6; do
    ip "$version" rule show 2>/dev/null | sed -n '/^10:.* iif /{s/ \[detached\]//;s/\t/ /;p};/lookup local/{s/\t/ /;p}' | sort
  done
  exit 0
fi
check=
[ "${1:-}" != --check ] || check=--check

interfaces=$(/usr/local/lib/daytona-edge/interfaces-gateway.sh)

# Until the agent has asked Docker: no port is known, and every other bridge
# that is there is somebody else's, but for one with the addresses of Daytona's
# runner-bridge.
first_ports() {
  for interface in $interfaces; do
    echo "add element inet daytona_egress walled { \"$interface\" }"
  done
  for network in $SANDBOX_NETWORKS; do
    echo "add element inet daytona_egress networks { $network }"
  done
  ip -o link show type bridge | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | while read -r bridge; do
    echo "$interfaces" | grep -qFx "$bridge" ||
      [ -n "$(ip -o -4 address show dev "$bridge" to 172.20.0.0/16)" ] ||
      echo "add element inet daytona_egress open { \"$bridge\" }"
  done
}

# usage: load FILE
load() {
  # shellcheck disable=SC2086
  nft $check -D "gateway=$GATEWAY_ADDRESS" -D "networks=$(set_of "$SANDBOX_NETWORKS")" \
    -D "checks=$(set_of "${HEALTH_NETWORKS:-}")" -f "$1"
}

set_of() { echo "{ $(echo "$1" | sed 's/ /, /g') }"; }

# The second wall, for the moment in which another program has emptied nftables
# (nft flush ruleset): what comes from a sandbox is routed nowhere, and gets no
# answer to ARP, unless the first wall stood and marked it. The rule stands
# before the table of the machine's own addresses, which is moved behind it.
# "protocol kernel" is what systemd-networkd leaves alone when it restarts.
# usage: route_marked_only -4|-6
route_marked_only() {
  if ip "$1" rule show priority 0 | grep -q 'lookup local'; then
    ip "$1" rule show priority 15 | grep -q 'lookup local' ||
      ip "$1" rule add priority 15 lookup local protocol kernel
    ip "$1" rule delete priority 0 lookup local
  fi
  # Earlier versions closed less, here.
  while ip "$1" rule show priority 20 | grep -q 'fwmark 0/0x1000000 .*prohibit'; do
    ip "$1" rule delete priority 20
  done
  for interface in $interfaces; do
    closed "$1" "$interface" ||
      ip "$1" rule add priority 10 iif "$interface" fwmark "0/$marks" blackhole protocol kernel
  done
  # Others of this priority, whoever made them, would open what is closed.
  ip "$1" rule show priority 10 | sed -n 's/^10:[[:space:]]*//; s/ \[detached\]//; / iif /p' |
    while read -r rule; do
      interface=$(echo "$rule" | sed 's/.* iif \([^ ]*\).*/\1/')
      ! { echo "$interfaces" | grep -qFx "$interface" && is_closing "$rule"; } || continue
      # shellcheck disable=SC2086
      ip "$1" rule delete priority 10 ${rule%% proto *}
    done
}

# usage: closed -4|-6 INTERFACE
closed() {
  ip "$1" rule show priority 10 iif "$2" | while read -r rule; do
    ! is_closing "$rule" || echo yes
  done | grep -q yes
}

is_closing() {
  case $1 in *"fwmark 0/$marks iif "*" blackhole"*) ;; *) return 1 ;; esac
}

# Alone on its machine, a gateway has no ports of sandboxes.
if [ -e "$etc/nftables-ports.conf" ] && [ ! -e "$state/ports.nft" ]; then
  umask 077
  mkdir -p "$state"
  first_ports >"$state/ports.new"
  mv "$state/ports.new" "$state/ports.nft"
fi
if [ -z "$check" ]; then
  route_marked_only -4
  [ ! -e /proc/net/if_inet6 ] || route_marked_only -6
fi
load "$etc/nftables.conf"
# Nobody but the container's programs asks 127.0.0.11 in its network.
[ ! -e "$in_container" ] || load "$etc/nftables-runner-names.conf"
