#!/bin/sh
# Runs a program of the base system as the units do (base-system.conf), with
# what it is given. Where there is none yet, and where the machine itself is
# Debian 13 (aws), the machine's own program.
# usage: enter.sh COMMAND [ARGUMENT…]
# In the environment: TREE, a path in there of another tree to run it from.
set -eu
root=/var/lib/daytona-base-system
[ -e "$root/current" ] || exec "$@"
# shellcheck disable=SC2016 # for the shell in there
exec unshare --mount sh -euc '
  root=$1
  shift
  [ -z "${TREE:-}" ] || mount --bind "$root/$TREE" "$root/$(readlink "$root/current")"
  for directory in dev proc sys run var/lib/daytona-edge; do
    mount --rbind "/$directory" "$root/$directory"
  done
  mount --bind /etc "$root/server-etc"
  mount --bind /usr/local "$root/server-usr-local"
  export SYSTEMD_IGNORE_CHROOT=1
  exec chroot "$root" "$@"' enter "$root" "$@"
