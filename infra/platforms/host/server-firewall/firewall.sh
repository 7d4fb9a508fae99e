#!/bin/sh
# Loads the server's firewall as one transaction; with --check it only tries it,
# and with --list it prints what is in force, a missing table as nothing.
# usage: firewall.sh [--check | --list]
set -eu
if [ "${1:-}" = --list ]; then
  nft --stateless list table inet daytona_server 2>/dev/null || true
  exit 0
fi
# shellcheck disable=SC2086
exec nft ${1:-} -D "closed=$CLOSED_PORTS" -D "operators=$OPERATOR_NETWORKS" \
  -f /etc/daytona-edge/server/nftables.conf
