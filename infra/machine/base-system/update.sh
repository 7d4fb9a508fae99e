#!/bin/sh
# Brings Debian's security updates to the base system, where it comes from a
# mirror. Nothing new means nothing done.
set -eu
here=$(dirname "$(readlink -f "$0")")
home=/var/lib/daytona-edge
root=/var/lib/daytona-base-system
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/base-system/env
set +a
if [ -n "$FILE_SHA256" ]; then
  echo "the base system is that of a file: give host.baseSystem another, and pulumi up"
  exit 0
fi
# No install meanwhile.
exec 9>>"$home/install.lock"
flock 9
new="$root/trees/new"
rm -rf "$new"
known="$root/current/packages"
# Where a switch was cut off, units may run from either tree.
[ ! -e "$root/before" ] || known=
"$here/download.sh" "$new" "$known"
if [ ! -e "$new" ]; then
  echo "the base system is as Debian has it"
  exit 0
fi
diff "$root/current/packages" "$new/packages" | sed -n 's/^>/now/p; s/^</was/p'
echo mirror >"$new/source"
exec "$here/switch.sh" "$new" "$(date --utc +%Y%m%dT%H%M%S)"
