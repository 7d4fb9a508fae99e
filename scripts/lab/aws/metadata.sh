#!/bin/sh
# Lays a network of its own for the instance metadata service, which on EC2 is
# outside of the instance, and runs it there.
set -eu
# There is none on the first start.
ip netns delete metadata 2>/dev/null || true
ip netns add metadata
ip link add metadata type veth peer name eth0 netns metadata
ip address add 169.254.169.253/30 dev metadata
ip link set metadata up
ip -n metadata address add 169.254.169.254/30 dev eth0
ip -n metadata link set eth0 up
exec ip netns exec metadata node /usr/local/lib/lab/metadata.cjs /etc/lab/metadata.json
