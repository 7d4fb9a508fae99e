#!/bin/sh
# Loads the firewall as one transaction, or with --check only tries it.
# usage: firewall.sh [--check]
set -eu
etc=/etc/daytona-edge/gateway
mark=0x1000000
check=
[ "${1:-}" != --check ] || check=--check

interfaces=$(/usr/local/lib/daytona-edge/interfaces-gateway.sh)
elements=
for interface in $interfaces; do
  elements="$elements${elements:+, }\"$interface\""
done

load() {
  # A set must hold something; no interface has this name.
  # shellcheck disable=SC2086
  nft $check -D "gateway=$GATEWAY_ADDRESS" -D "interfaces={ ${elements:-\"no-sandboxes\"} }" \
    -D "networks=$SANDBOX_NETWORKS" -D "seen=$mark" \
    -D "checks=${HEALTH_NETWORKS:-{ \}}" -f "$1"
}

# The second wall, for the moment in which another program has emptied nftables
# (nft flush ruleset): what comes from a sandbox is routed nowhere unless the
# first wall stood and marked it. What is right already is left alone, for this
# may be that moment.
# usage: route_marked_only -4|-6
route_marked_only() {
  for interface in $interfaces; do
    closed "$1" "$interface" ||
      ip "$1" rule add priority 20 iif "$interface" fwmark "0/$mark" prohibit
  done
  # Others of this priority, whoever made them, would open what is closed.
  ip "$1" rule show priority 20 | sed -n 's/^20:[[:space:]]*//; s/ \[detached\]//; / iif /p' |
    while read -r rule; do
      interface=$(echo "$rule" | sed 's/.* iif \([^ ]*\).*/\1/')
      case " $(echo "$interfaces" | tr '\n' ' ') " in
        *" $interface "*) ! is_closing "$rule" || continue ;;
      esac
      # shellcheck disable=SC2086
      ip "$1" rule delete priority 20 $rule
    done
}

# usage: closed -4|-6 INTERFACE
closed() {
  ip "$1" rule show priority 20 iif "$2" | while read -r rule; do
    ! is_closing "$rule" || echo yes
  done | grep -q yes
}

is_closing() {
  case $1 in *"fwmark 0/$mark iif "*" prohibit"*) ;; *) return 1 ;; esac
}

if [ -z "$check" ]; then
  route_marked_only -4
  [ ! -e /proc/net/if_inet6 ] || route_marked_only -6
fi

load "$etc/nftables.conf"
# Alone on its machine, a gateway has no bridges of sandboxes.
[ -e "$etc/nftables-bridge.conf" ] || exit 0
if load "$etc/nftables-bridge.conf" 2>/dev/null; then
  exit 0
fi

# This kernel cannot tell bridges apart. Closing all of them is right only
# where none but the sandboxes' would be closed.
for bridge in /sys/class/net/*/brif; do
  [ -e "$bridge" ] || continue
  name=${bridge%/brif}
  name=${name##*/}
  case $elements in *"\"$name\""*) continue ;; esac
  if [ -n "$(ls "$bridge")" ]; then
    echo "firewall: this kernel lacks nft_meta_bridge, and bridge $name is not a sandbox bridge; load that module, or move $name to another machine" >&2
    exit 1
  fi
done
load "$etc/nftables-bridge-all.conf"
