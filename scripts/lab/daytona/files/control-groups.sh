#!/bin/sh
# Where each controller has a tree of control groups, systemd-nspawn shows them
# read-only: Docker makes its own in them.
set -eu
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || exit 0
for tree in /sys/fs/cgroup/*/; do
  case $tree in */systemd/ | */unified/) continue ;; esac
  [ -L "${tree%/}" ] || mount -o remount,bind,rw "$tree"
done
