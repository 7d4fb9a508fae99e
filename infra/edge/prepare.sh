#!/bin/sh
# HAProxy needs a certificate and its maps to start, so a new machine makes a
# placeholder and empty ones. They are never served: the state says so, and the
# edge refuses every connection until the agent has put the real ones in place.
set -eu
state=/var/lib/daytona-edge/edge
umask 077
mkdir -p "$state"
if [ ! -s "$state/certificate.pem" ]; then
  work=$(mktemp -d)
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
    -subj /CN=placeholder.invalid -addext subjectAltName=DNS:placeholder.invalid \
    -keyout "$work/key" -out "$work/certificate" 2>/dev/null
  cat "$work/certificate" "$work/key" >"$state/certificate.pem.new"
  mv "$state/certificate.pem.new" "$state/certificate.pem"
  rm -f "$state/state.map"
  rm -r "$work"
fi
/usr/local/lib/daytona-edge/environment-edge.sh >"$state/environment.cfg.new"
mv "$state/environment.cfg.new" "$state/environment.cfg"
touch "$state/access-keys.map" "$state/revoked.map"
[ -s "$state/state.map" ] || echo 'certificate placeholder' >"$state/state.map"
# Where no token of ours is asked for, no keys have to come first.
if [ "$EDGE_ACCESS" != signed ] && ! grep -q '^access ' "$state/state.map"; then
  echo 'access live' >>"$state/state.map"
fi
