#!/bin/sh
# Lets HAProxy judge the edge's files where they stand, with the edge's own
# environment. Used before an install takes effect.
set -eu
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/edge/env
set +a
/usr/local/lib/daytona-edge/prepare-edge.sh
exec haproxy -c -f /etc/daytona-edge/edge/haproxy.cfg >/dev/null
