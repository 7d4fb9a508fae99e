#!/bin/sh
# Prints how the firewall in force differs from the one that its files make:
# that one is loaded into a network that ends with the command.
set -eu
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/server/env
set +a
list="nft --stateless list table inet daytona_server"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unshare --net sh -ec "/usr/local/lib/daytona-edge/firewall-server.sh; $list" >"$work/wanted"
# A table that is not there is a difference, and no error.
$list >"$work/is" 2>/dev/null || true
# 1: they differ. More is trouble, and ends this with an error.
diff "$work/wanted" "$work/is" >"$work/diff" || [ $? = 1 ]
sed -n 's/^>[[:space:]]*/too much: /p; s/^<[[:space:]]*/missing: /p' "$work/diff"
