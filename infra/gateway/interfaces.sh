#!/bin/sh
# Prints the interfaces that are walled, one a line: those that the configuration
# names, or else have an address in the networks that it names, those that the
# agent has found a sandbox on, and Docker's own where image builds are walled.
set -eu
found=/var/lib/daytona-edge/gateway/ports/walled
{
  if [ -n "$SANDBOX_INTERFACES" ]; then
    echo "$SANDBOX_INTERFACES" | tr ' ' '\n'
  else
    for network in $SANDBOX_NETWORKS; do
      ip -o -4 address show to "$network" | awk '{ print $2 }'
    done
  fi
  [ ! -e "$found" ] || cat "$found"
  [ "${GATEWAY_BUILDS:-open}" = open ] || [ ! -e /sys/class/net/docker0 ] || echo docker0
} | sort -u
