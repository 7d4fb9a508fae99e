#!/bin/sh
# Replaces a document of the store by what comes on standard input; begins with
# replace-file.sh. In the environment: DOCUMENT; SHA256, of what is to come.
set -eu
store=/var/lib/daytona-edge/store
if [ ! -d "$store" ]; then
  echo "daytona-edge: $store is missing on $(hostname); nothing is installed there: run pulumi up first" >&2
  exit 1
fi
receive "$store/$DOCUMENT"
# shellcheck disable=SC2154
if ! echo "$SHA256  $new" | sha256sum --check --status; then
  echo "daytona-edge: $store/$DOCUMENT is unchanged: what arrived is incomplete; run the command again" >&2
  exit 1
fi
replace "$store/$DOCUMENT"
