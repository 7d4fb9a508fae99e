#!/bin/sh
# Writes a document of the live state, from standard input: replaced as a
# whole, and root's alone from its first moment. In the environment: DOCUMENT,
# its path below /var/lib/daytona-edge; ONLY_WHEN_MISSING, "yes" where what is
# there already stays.
set -eu
path="/var/lib/daytona-edge/$DOCUMENT"
if [ "$ONLY_WHEN_MISSING" = yes ] && [ -s "$path" ]; then
  exit 0
fi
mkdir -p "$(dirname "$path")"
umask 077
cat >"$path.new"
# A run that was cut off before it sent anything.
if [ ! -s "$path.new" ]; then
  rm "$path.new"
  echo "daytona-edge: nothing came to write to $path; what was there stays" >&2
  exit 1
fi
mv "$path.new" "$path"
