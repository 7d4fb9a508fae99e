#!/bin/sh
# Lets HAProxy take its files anew, and fails where it does not: after a signal
# it would go on with what it had, and systemd would call that a success.
# usage: reload-haproxy.sh SOCKET   of the master, see "reload" in HAProxy's management guide
set -eu
# A process that was started before its unit had the socket.
[ -S "$1" ] || exec kill -USR2 "$MAINPID"
answer=$(echo reload | socat -t 60 - "UNIX-CONNECT:$1")
case $answer in
  *Success=1*) ;;
  *)
    printf '%s\n' "$answer" >&2
    exit 1
    ;;
esac
