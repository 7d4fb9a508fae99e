#!/bin/sh
# Takes away what the gateway's units leave behind when they stop. With both
# walls gone sandboxes reach what their server reaches.
# usage: undo.sh        all of it
#        undo.sh here   what stands in the network that this runs in
set -eu
state=/var/lib/daytona-edge/gateway/ports
network=/run/daytona-gateway-runner
if [ "${1:-}" != here ]; then
  rm -rf /run/daytona-gateway
  if [ -e "$network/namespace" ]; then
    # What stands in the runner's network; where that is the server's, it is here.
    nsenter --net="$network/namespace" sh "$0" here
    ! nft list table bridge daytona_runner >/dev/null 2>&1 ||
      nft delete table bridge daytona_runner
    # Where it was mounted, in the mounts of the server itself: those of a program
    # of the base system have copies, which keep it from going.
    # shellcheck disable=SC2016 # for the shell in there
    nsenter --target=1 --mount -- sh -euc \
      'umount --lazy "$1/namespace"; rm -rf "$1"' undo "$network"
    rm -f /var/lib/daytona-edge/gateway/runner-container
    exit 0
  fi
fi
! nft list table ip daytona_names >/dev/null 2>&1 || nft delete table ip daytona_names
for family in inet bridge; do
  ! nft list table "$family" daytona_egress >/dev/null 2>&1 ||
    nft delete table "$family" daytona_egress
done
for version in -4 -6; do
  # First the machine's own addresses, as they were.
  if ip "$version" rule show priority 15 2>/dev/null | grep -q 'lookup local'; then
    ip "$version" rule add priority 0 lookup local
    ip "$version" rule delete priority 15 lookup local
  fi
  while ip "$version" rule show priority 10 2>/dev/null | grep -q blackhole; do
    ip "$version" rule delete priority 10
  done
done
[ -e "$state/walled" ] || exit 0
while read -r bridge; do
  ip link show dev "$bridge" >/dev/null 2>&1 || continue
  ip neigh flush dev "$bridge" nud permanent
  ip -o link show master "$bridge" | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | while read -r port; do
    bridge link set dev "$port" isolated off
    bridge fdb show brport "$port" | sed -n '/sticky/s/ .*//p' | while read -r mac; do
      bridge fdb delete "$mac" dev "$port" master
    done
  done
done <"$state/walled"
