#!/bin/sh
# Prints what is missing of the tree that units run from.
set -eu
root=/var/lib/daytona-base-system
# A switch that was cut off.
[ ! -e "$root/before" ] || echo "unfinished: another tree was to take the place of $(cat "$root/before")"
for program in bin/sh bin/node sbin/haproxy sbin/nft sbin/unbound; do
  [ -x "$root/usr/$program" ] || echo "missing: $root/usr/$program"
done
