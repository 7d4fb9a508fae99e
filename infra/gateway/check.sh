#!/bin/sh
# Lets each program judge its own files where they stand, with the gateway's
# environment. Used before an install takes effect.
set -eu
etc=/etc/daytona-edge/gateway
set -a
# shellcheck disable=SC1091
. "$etc/env"
set +a
/usr/local/lib/daytona-edge/prepare-gateway.sh
haproxy -c -f "$etc/haproxy.cfg" >/dev/null
unbound-checkconf "$etc/resolver.conf" >/dev/null
unbound-checkconf "$etc/recursor.conf" >/dev/null
exec /usr/local/lib/daytona-edge/firewall-gateway.sh --check
