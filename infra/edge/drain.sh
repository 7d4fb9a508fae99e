#!/bin/sh
# What "systemctl stop" does first: the health check fails, so that a load
# balancer looks away while everything is still served. Only then does systemd
# send the signal on which HAProxy accepts nobody and lets streams finish. (Its
# own "grace" would do that on every reload too, where nobody must look away.)
set -eu
# Nothing to drain where HAProxy ended by itself.
[ -n "${MAINPID:-}" ] || exit 0
echo 'add map /var/lib/daytona-edge/edge/state.map draining yes' |
  socat -t 2 - UNIX-CONNECT:/run/daytona-edge/haproxy.sock >/dev/null
sleep "$EDGE_GRACE_SECONDS"
