#!/bin/sh
# Gives a sandbox its network: a namespace and a pair of interfaces.
# The unit's environment names the link and the addresses.
# usage: sandbox-up.sh ID
set -eu
id=$1
namespace="sandbox-$id"

/usr/local/lib/daytona-lab/sandbox-down.sh "$id"
ip netns add "$namespace"
ip link add "$SANDBOX_LINK" type veth \
  peer name eth0 address "$SANDBOX_MAC" netns "$namespace"
ip link set "$SANDBOX_LINK" master br-sandbox up

ip -n "$namespace" link set lo up
ip -n "$namespace" address add "$SANDBOX_ADDRESS/16" dev eth0
ip -n "$namespace" -6 address add "$SANDBOX_ADDRESS6/64" dev eth0 nodad
ip -n "$namespace" link set eth0 up
ip -n "$namespace" route add default via 172.20.0.1
ip -n "$namespace" -6 route add default via 2001:db8:20::1
