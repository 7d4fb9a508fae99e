#!/bin/sh
# What "systemctl stop" does first where a load balancer is in front: the health
# check fails, so that the balancer looks away while everything is still served.
# Only then does systemd send the signal on which HAProxy accepts nobody and
# lets streams finish.
set -eu
# Nothing to drain where HAProxy ended by itself.
[ -n "${MAINPID:-}" ] || exit 0
echo 'add map /var/lib/daytona-edge/gateway/maps/draining.map draining yes' |
  socat -t 2 - UNIX-CONNECT:/run/daytona-gateway/haproxy.sock >/dev/null
sleep "$GATEWAY_GRACE_SECONDS"
