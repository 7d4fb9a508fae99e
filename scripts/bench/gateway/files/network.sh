#!/bin/sh
# The addresses of a bench, all on the loopback: a public one for the origin,
# for the gateway dials no other, and a network of sandboxes.
set -eu
ip address add 203.0.113.10/32 dev lo
ip address add 172.20.0.1/16 dev lo
# New connections by the ten thousand, between two addresses only.
echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range
echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse
