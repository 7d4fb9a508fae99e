#!/bin/sh
# First boot: takes the bundle that the stack laid into the store, makes sure
# that it is that very one, and installs it.
set -eu
# shellcheck disable=SC1091
. "$(dirname "$0")/env"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$BUNDLE" "$work/bundle.tar.gz"
echo "$BUNDLE_SHA256  $work/bundle.tar.gz" | sha256sum --check --quiet
tar -xzf "$work/bundle.tar.gz" -C "$work" --no-same-owner
sh "$work/install.sh"
