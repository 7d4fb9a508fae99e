#!/bin/sh
# Makes an image of a snapshot's root, unless Docker has it. It trusts the lab's
# stand-in for the public web's authorities as well.
# usage: import-snapshot.sh NAME
set -eu
root=/srv/snapshots/$1
certificates=etc/ssl/certs/ca-certificates.crt
own=usr/local/share/ca-certificates/web-ca.crt
web_ca=/usr/local/lib/daytona-lab/web-ca.pem

! docker image inspect "$1" >/dev/null 2>&1 || exit 0
trust=$(mktemp -d)
trap 'rm -rf "$trust"' EXIT
cat "$root/$certificates" "$web_ca" >"$trust/certificates"
cp "$web_ca" "$trust/own"
# No path may come twice.
tar -c -C "$root" --anchored --exclude="./$certificates" . \
  -C "$trust" --transform "s,^certificates$,./$certificates," --transform "s,^own$,./$own," certificates own |
  docker import --change "ENV LANG=C.UTF-8" - "$1" >/dev/null
