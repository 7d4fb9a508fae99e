#!/bin/sh
# Makes a certificate that fits no name, with its key: HAProxy needs one to start.
# usage: placeholder-certificate.sh FILE DAYS
set -eu
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$2" \
  -subj /CN=placeholder.invalid -addext subjectAltName=DNS:placeholder.invalid \
  -keyout "$work/key" -out "$work/certificate" 2>/dev/null
cat "$work/certificate" "$work/key" >"$1.new"
mv "$1.new" "$1"
