#!/bin/sh
# Prints the interfaces that are walled, one a line: those that the configuration
# names, or else have an address in the sandboxes' networks, and those that the
# agent has found a sandbox on.
set -eu
words() { echo "$1" | tr -d '{},'; }
found=/var/lib/daytona-edge/gateway/ports/walled
{
  if [ "$SANDBOX_INTERFACES" != auto ]; then
    words "$SANDBOX_INTERFACES" | xargs -r -n 1
  else
    for network in $(words "$SANDBOX_NETWORKS"); do
      ip -o -4 address show to "$network" | awk '{ print $2 }'
    done
  fi
  [ ! -e "$found" ] || cat "$found"
} | sort -u
