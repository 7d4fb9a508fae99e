#!/bin/sh
# Loads the server's firewall as one transaction, or with --check only tries it.
# usage: firewall.sh [--check]
set -eu
# shellcheck disable=SC2086
exec nft ${1:-} -D "closed=$CLOSED_PORTS" -D "operators=$OPERATOR_NETWORKS" \
  -f /etc/daytona-edge/server/nftables.conf
