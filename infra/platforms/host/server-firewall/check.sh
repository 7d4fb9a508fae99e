#!/bin/sh
# Lets nft judge the server's firewall where it stands. Used before an install
# takes effect.
set -eu
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/server/env
set +a
exec /usr/local/lib/daytona-edge/firewall-server.sh --check
