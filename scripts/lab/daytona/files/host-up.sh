#!/bin/sh
# Prepares the computer for sandboxes, as Docker does when it starts: one
# bridge, forwarding, address translation, and the top layer of the image.
set -eu
here=/usr/local/lib/daytona-lab
state=/run/daytona-lab

sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
if ! ip link show br-sandbox >/dev/null 2>&1; then
  ip link add br-sandbox type bridge
fi
ip address replace 172.20.0.1/16 dev br-sandbox
ip -6 address replace 2001:db8:20::1/64 dev br-sandbox nodad
ip link set br-sandbox up
nft -f "$here/docker.nft"

# The computer's own root is an overlay, which cannot carry the writable layer
# of another one: the sandboxes' layers are in memory.
mkdir -p "$state"
if ! mountpoint -q "$state"; then
  mount -t tmpfs -o mode=755 tmpfs "$state"
fi
mkdir -p "$state/sandboxes"
cp -a "$here/snapshot" "$state/"

# The snapshot trusts the lab's stand-in for the public web's authorities.
image=/srv/sandbox-image
certificate=usr/local/share/ca-certificates/web-ca.crt
roots=etc/ssl/certs/ca-certificates.crt
if [ ! -e "$image/$certificate" ]; then
  mkdir -p "$state/snapshot/usr/local/share/ca-certificates" "$state/snapshot/etc/ssl/certs"
  cp "$here/web-ca.pem" "$state/snapshot/$certificate"
  cat "$image/$roots" "$here/web-ca.pem" >"$state/snapshot/$roots"
fi
