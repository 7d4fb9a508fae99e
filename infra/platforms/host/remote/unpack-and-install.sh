#!/bin/sh
# Takes a bundle's archive, in base64, from standard input and installs it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
base64 -d | tar -xz -C "$work" --no-same-owner
sh "$work/install.sh"
