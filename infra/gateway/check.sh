#!/bin/sh
# Lets each program judge its own files where they stand, with the gateway's
# environment. Used before an install takes effect.
set -eu
etc=/etc/daytona-edge/gateway
/usr/local/lib/daytona-edge/prepare-gateway.sh
set -a
# shellcheck disable=SC1091
. "$etc/env"
set +a
haproxy -c -q -f "$etc/haproxy.cfg"
unbound-checkconf "$etc/resolver.conf" >/dev/null
unbound-checkconf "$etc/recursor.conf" >/dev/null
nft -c -D "gateway=$GATEWAY_ADDRESS" -D "interfaces=$SANDBOX_INTERFACES" \
  -D "networks=$SANDBOX_NETWORKS" -f "$etc/nftables.conf"
