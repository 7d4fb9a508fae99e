#!/bin/sh
# Removes a document of the live state, and what it leaves empty.
set -eu
path="/var/lib/daytona-edge/$DOCUMENT"
rm -f "$path"
directory=$(dirname "$path")
[ ! -d "$directory" ] || rmdir --ignore-fail-on-non-empty --parents "$directory"
