#!/bin/sh
# Prints how the walls in force differ from those that the gateway's files make:
# these are loaded into a network that ends with the command. Nothing else
# changes.
set -eu
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/gateway/env
set +a
lib=/usr/local/lib/daytona-edge

# A table that is not there is a difference, and no error.
if [ "${1:-}" = list ]; then
  for family in inet bridge; do
    nft --stateless list table "$family" daytona_egress 2>/dev/null || true
  done
  for version in -4 -6; do
    ip "$version" rule show 2>/dev/null | sed -n '/^10:.* iif /{s/ \[detached\]//;s/\t/ /;p};/lookup local/{s/\t/ /;p}' | sort
  done
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
interfaces=$("$lib/interfaces-gateway.sh" | paste -sd " ")
# shellcheck disable=SC2016 # for the shell in there
unshare --net sh -ec '
  SANDBOX_INTERFACES="{ $1 }" "$2"
  exec "$3" list' with "$interfaces" "$lib/firewall-gateway.sh" "$0" >"$work/wanted"
"$0" list >"$work/is"
# 1: they differ. More is trouble, and ends this with an error.
diff "$work/wanted" "$work/is" >"$work/diff" || [ $? = 1 ]
sed -n 's/^>[[:space:]]*/too much: /p; s/^<[[:space:]]*/missing: /p' "$work/diff"
