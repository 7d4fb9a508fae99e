#!/bin/sh
# Removes a document of the live state, and what it leaves empty.
set -eu
home=/var/lib/daytona-edge
rm -rf "$home/${DOCUMENT:?}" "$home/written/${DOCUMENT:?}"
for directory in "$(dirname "$home/$DOCUMENT")" "$(dirname "$home/written/$DOCUMENT")"; do
  [ ! -d "$directory" ] || rmdir --ignore-fail-on-non-empty --parents "$directory"
done
