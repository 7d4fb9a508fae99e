#!/bin/sh
# Prints how the walls in force differ from those that a bundle's files make:
# these are loaded into a network that ends with the command. Nothing else
# changes. The bundle is the one in the name, differences-BUNDLE.sh.
set -eu
lib=/usr/local/lib/daytona-edge
bundle=${0##*/differences-}
bundle=${bundle%.sh}
firewall=$lib/firewall-$bundle.sh
set -a
# shellcheck disable=SC1090
. "/etc/daytona-edge/$bundle/env"
# The gateway's: in there none could be found.
# shellcheck disable=SC2034
[ ! -e "$lib/interfaces-$bundle.sh" ] ||
  SANDBOX_INTERFACES="{ $("$lib/interfaces-$bundle.sh" | paste -sd " ") }"
set +a
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # for the shell in there
unshare --net sh -ec '"$1"; exec "$1" --list' with "$firewall" >"$work/wanted"
# Where the gateway's units are; the edge and the server have no other network.
network=/run/daytona-gateway-runner/namespace
if [ "$bundle" = gateway ] && [ -e "$network" ]; then
  nsenter --net="$network" "$firewall" --list >"$work/is"
else
  "$firewall" --list >"$work/is"
fi
# 1: they differ. More is trouble, and ends this with an error.
diff "$work/wanted" "$work/is" >"$work/diff" || [ $? = 1 ]
sed -n 's/^>[[:space:]]*/unexpected: /p; s/^<[[:space:]]*/missing: /p' "$work/diff"
