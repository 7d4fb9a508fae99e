#!/bin/sh
# Lets nft judge the server's firewall where it stands. Used before an install
# takes effect.
set -eu
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/server/env
set +a
# Docker's bridges are known by their names only.
for uplink in $(ip -o route show default; ip -o -6 route show default) ; do
  case $uplink in
    docker* | br-*)
      echo "firewall: $uplink leads to the world and has the name of a Docker bridge, so that everybody outside would be taken for a container; rename it, for example to uplink0" >&2
      exit 1
      ;;
  esac
done
exec /usr/local/lib/daytona-edge/firewall-server.sh --check
