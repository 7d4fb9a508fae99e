#!/bin/sh
# Prints the interfaces that sandboxes are behind, one a line. "auto" means those
# that have an address in the sandboxes' networks by now: of what Docker makes,
# the name is known only then. Whoever makes another one later is seen by the
# agent, which loads the firewall again; until then the addresses alone are
# refused.
set -eu
words() { echo "$1" | tr -d '{},'; }
if [ "$SANDBOX_INTERFACES" != auto ]; then
  words "$SANDBOX_INTERFACES" | xargs -n 1
  exit 0
fi
for network in $(words "$SANDBOX_NETWORKS"); do
  ip -o -4 address show to "$network"
done | awk '{ print $2 }' | sort -u
