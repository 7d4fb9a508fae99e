#!/bin/sh
# Takes away what the gateway's units leave behind when they stop. With both
# walls gone sandboxes reach what their server reaches.
set -eu
rm -rf /run/daytona-gateway
for family in inet bridge; do
  ! nft list table "$family" daytona_egress >/dev/null 2>&1 ||
    nft delete table "$family" daytona_egress
done
for version in -4 -6; do
  while ip "$version" rule show priority 20 2>/dev/null | grep -q prohibit; do
    ip "$version" rule delete priority 20
  done
done
