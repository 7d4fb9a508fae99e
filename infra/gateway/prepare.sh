#!/bin/sh
# HAProxy needs its files to start; a gateway without rules has none yet. Empty
# maps allow nothing, and the placeholder certificate fits no name. Where a disk
# is full that held them before, nothing is written but to /run.
set -eu
state=/var/lib/daytona-edge/gateway
run=/run/daytona-gateway
umask 077
mkdir -p "$state/maps" "$state/leaves" "$run"
for map in sni exact prefix methods options nearest credentials learn addresses state draining; do
  [ -e "$state/maps/$map.map" ] || : >"$state/maps/$map.map"
done
# What answers at an address of this machine is no real host; those of private
# networks are refused anyway. As of this start.
# (The kernel's table, for the unit may not speak netlink; the server's, too, where
# this runs in the network of a container.)
awk '/32 host LOCAL/ { print address } { address = $2 }' /proc/net/fib_trie /proc/1/net/fib_trie \
  >"$run/own-addresses.acl.new"
mv "$run/own-addresses.acl.new" "$run/own-addresses.acl"
# The environment as HAProxy's own lines: a reload takes over what has changed,
# where the environment of a running process stays what it was.
{
  echo global
  env | sed -n "s/^\(GATEWAY_[A-Z_]*\)=\(.*\)\$/  setenv \1 '\2'/p"
} >"$run/environment.cfg.new"
mv "$run/environment.cfg.new" "$run/environment.cfg"
# A process that was started by an older unit reads it there.
[ ! -f "$state/environment.cfg" ] || ln -sf "$run/environment.cfg" "$state/environment.cfg"
[ -e "$state/ca.pem" ] || echo '# the gateway inspects no host' >"$state/ca.pem"
if [ ! -s "$state/placeholder.pem" ]; then
  /usr/local/lib/daytona-edge/placeholder-gateway.sh "$state/placeholder.pem" 3650
fi
# A directory of leaves must hold one.
[ -e "$state/leaves/placeholder.pem" ] || cp "$state/placeholder.pem" "$state/leaves/placeholder.pem"
