#!/bin/sh
# Loads the firewall as one transaction, or with --check only tries it.
# usage: firewall.sh [--check]
set -eu
etc=/etc/daytona-edge/gateway
check=
[ "${1:-}" != --check ] || check=--check

load() {
  # shellcheck disable=SC2086
  nft $check -D "gateway=$GATEWAY_ADDRESS" -D "interfaces=$SANDBOX_INTERFACES" \
    -D "networks=$SANDBOX_NETWORKS" -f "$1"
}

load "$etc/nftables.conf"
if load "$etc/nftables-bridge.conf" 2>/dev/null; then
  exit 0
fi

# This kernel cannot tell bridges apart. Closing all of them is right only
# where none but the sandboxes' would be closed.
for bridge in /sys/class/net/*/brif; do
  [ -e "$bridge" ] || continue
  name=${bridge%/brif}
  name=${name##*/}
  case " $SANDBOX_INTERFACES " in
    *[\ ,]"$name"[\ ,]*) continue ;;
  esac
  if [ -n "$(ls "$bridge")" ]; then
    echo "firewall: this kernel lacks nft_meta_bridge, and bridge $name is not a sandbox bridge; load that module, or move $name to another machine" >&2
    exit 1
  fi
done
load "$etc/nftables-bridge-all.conf"
