#!/bin/sh
# HAProxy needs a certificate and its maps to start, so a new machine makes a
# placeholder and empty ones. They are never served: the state says so, and the
# edge refuses every connection until the agent has put the real ones in place.
# Where a disk is full that held them before, nothing is written but to /run.
set -eu
state=/var/lib/daytona-edge/edge
run=/run/daytona-edge
umask 077
mkdir -p "$state" "$run"
if [ ! -s "$state/certificate.pem" ]; then
  /usr/local/lib/daytona-edge/placeholder-edge.sh "$state/certificate.pem" 1
  rm -f "$state/state.map"
fi
/usr/local/lib/daytona-edge/environment-edge.sh >"$run/environment.cfg.new"
mv "$run/environment.cfg.new" "$run/environment.cfg"
# A process that was started by an older unit reads it there.
[ ! -f "$state/environment.cfg" ] || ln -sf "$run/environment.cfg" "$state/environment.cfg"
touch "$state/access-keys.map" "$state/revoked.map"
# What the agent has kept; without it HAProxy waits until the agent says it.
{
  if [ -s "$state/state.map" ]; then cat "$state/state.map"; else echo 'certificate placeholder'; fi
  # Where no token of ours is asked for, no keys have to come first.
  [ "$EDGE_ACCESS" = signed ] || echo 'access live'
} | sort -u >"$run/state.map.new"
mv "$run/state.map.new" "$run/state.map"
