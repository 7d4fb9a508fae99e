#!/bin/sh
# Undoes what a bundle's install did. In the environment: BUNDLE, its name.
set -eu
home=/var/lib/daytona-edge
install="$home/installed/$BUNDLE/install.sh"
[ ! -e "$install" ] || exec "$install" --remove
echo "daytona-edge: nothing is recorded of $BUNDLE on $(hostname): its install or an earlier removal was cut off, and nothing is left of it; or somebody removed $install, and what is left of it is to be removed by hand" >&2
[ -d "$home" ] || exit 0
# What was cut off before there was a record, or after it. No install meanwhile.
exec 9>"$home/install.lock"
flock 9
rm -rf "$home/new" "$home/removed"
for unpacked in /run/daytona-edge-install.*; do
  [ -e "/proc/${unpacked##*.}" ] || rm -rf "$unpacked"
done
[ -z "$(ls "$home/installed" 2>/dev/null)" ] || exit 0
rm -rf "$home/installed" "$home/install.lock"
rmdir --ignore-fail-on-non-empty "$home"
