#!/bin/sh
# HAProxy needs a certificate to start, so a new machine makes a placeholder.
# It is never served: the state says so, and the edge refuses every connection
# until the agent has put a real one in its place.
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
  echo 'certificate placeholder' >"$state/state.map"
  rm -r "$work"
fi
[ -s "$state/state.map" ] || echo 'certificate placeholder' >"$state/state.map"
