#!/bin/sh
# Boots one machine: its own layer over the image, its own cgroup, systemd.
# Runs inside the lab's namespaces and becomes systemd-nspawn.
# usage: machine-boot.sh IMAGE_ROOT MACHINE_DIRECTORY NAME CGROUP [NSPAWN OPTION…]
set -eu
image=$1
directory=$2
name=$3
cgroup=$4
shift 4

root="$directory/root"
if ! mountpoint -q "$root"; then
  mount -t overlay overlay \
    -o "lowerdir=$image,upperdir=$directory/upper,workdir=$directory/work" "$root"
fi

# nspawn names its sub-groups alike for every machine, so each needs a parent
# of its own: in the unified tree, or in the two that systemd uses beside v1.
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e "$tree/cgroup.procs" ] || continue
  [ "$tree" != /sys/fs/cgroup ] || [ -e "$tree/cgroup.controllers" ] || continue
  mkdir -p "$tree/$cgroup/$name"
  echo $$ >"$tree/$cgroup/$name/cgroup.procs"
done

exec systemd-nspawn --quiet --directory="$root" --boot --register=no --keep-unit \
  --network-bridge=lab --machine="$name" --console=pipe --link-journal=no \
  --resolv-conf=off --timezone=off --notify-ready=no "$@"
