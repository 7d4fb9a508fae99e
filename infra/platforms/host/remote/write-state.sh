#!/bin/sh
# Writes a document of the live state, from standard input; begins with
# replace-file.sh. In the environment: DOCUMENT, its path below
# /var/lib/daytona-edge; ONLY_WHEN_MISSING, "yes" where what is there already
# stays; REPAIR, a word that is kept with it.
set -eu
home=/var/lib/daytona-edge
path="$home/$DOCUMENT"
record="$home/written/$DOCUMENT"
mkdir -p "$(dirname "$path")" "$record"
umask 077
if [ "$ONLY_WHEN_MISSING" = yes ] && [ -s "$path" ]; then
  echo "${REPAIR:-}" >"$record/repair"
  exit 0
fi
receive "$path"
# A run that was cut off before it sent anything.
# shellcheck disable=SC2154
if [ ! -s "$new" ]; then
  echo "daytona-edge: nothing came to write to $path; what was there stays" >&2
  exit 1
fi
replace "$path"
# Others write those that are only made here.
[ "$ONLY_WHEN_MISSING" = yes ] || sha256sum "$path" >"$record/sum"
echo "${REPAIR:-}" >"$record/repair"
