#!/bin/sh
# Makes this machine the lab's world: it holds every public address there is,
# and passes packets between the others.
set -eu
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
while read -r address; do
  case $address in
    *:*) ip -6 address replace "$address" dev lo nodad ;;
    *) ip address replace "$address" dev lo ;;
  esac
done </etc/lab/addresses
