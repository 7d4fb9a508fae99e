#!/bin/sh
# How systemd stops HAProxy behind a load balancer (ExecStop=). Stop means
# drain: first the health check fails, so that the balancer looks away while
# everything is still served. Only then comes the signal (KillSignal=) on which
# HAProxy accepts nobody and lets streams finish. (Its own "grace" would do that
# on every reload too, where nobody must look away.)
# A restart is no drain, for it has to serve again at once; and a machine that
# goes down, also in the middle of a drain, waits for no stream.
# usage: drain-haproxy.sh UNIT SOCKET MAP SECONDS
#        the map is the one that fails the health check, for so many seconds
set -eu
# Nothing to drain where HAProxy ended by itself.
[ -n "${MAINPID:-}" ] || exit 0
if systemctl list-jobs --no-legend "$1" | grep -qw restart; then
  exec kill -TERM "$MAINPID"
fi
# Left running: systemd ends it when HAProxy ends (KillMode=mixed).
(
  until [ "$(systemctl is-system-running)" = stopping ]; do sleep 5; done
  sleep 30
  kill -TERM "$MAINPID"
) &
echo "add map $3 draining yes" | socat -t 2 - "UNIX-CONNECT:$2" >/dev/null
sleep "$4"
