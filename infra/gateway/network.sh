#!/bin/sh
# Gives this machine the one address that sandboxes may reach. It stands on an
# interface of its own (a bridge without ports), so that it does not come and
# go with Docker's bridges.
# usage: network.sh up|down
set -eu
case $1 in
  up)
    ip link show egress0 >/dev/null 2>&1 || ip link add egress0 type bridge
    ip address replace "$GATEWAY_ADDRESS/32" dev egress0
    ip link set egress0 up
    ;;
  down) ip link delete egress0 ;;
esac
