#!/bin/sh
# Takes a sandbox's network away, whatever is left of it.
# usage: sandbox-down.sh ID
set -eu
namespace="sandbox-$1"

if [ -e "/sys/class/net/$SANDBOX_LINK" ]; then
  ip link delete "$SANDBOX_LINK"
fi
if [ -e "/run/netns/$namespace" ]; then
  ip netns delete "$namespace"
fi
