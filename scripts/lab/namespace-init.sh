#!/bin/sh
# The first process of the lab's own network, mount and process namespaces:
# lays the one bridge, points name resolution at the lab's internet, and then
# only waits. When it ends, the kernel ends and removes everything in the lab.
# usage: namespace-init.sh LAB_DIRECTORY
set -eu
lab=$1

ip link set lo up
ip link add lab type bridge
ip address add 198.18.0.1/24 dev lab
ip -6 address add 2001:db8:198:18::1/64 dev lab nodad
ip link set lab up
ip route add default via 198.18.0.2
ip -6 route add default via 2001:db8:198:18::2

# systemd-nspawn keeps notes there, which the computer shall not see.
mount -t tmpfs -o mode=755 tmpfs /run

# Names resolve inside the lab only. nss-resolve would ask the computer's own
# resolver over a socket, so the order of sources is set as well.
printf 'nameserver 198.18.0.2\noptions timeout:2 attempts:2\n' >"$lab/resolv.conf"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$lab/nsswitch.conf"
target=$(readlink -m /etc/resolv.conf)
case $target in
  /run/*) mkdir -p "${target%/*}" && : >"$target" ;;
esac
mount --bind "$lab/resolv.conf" "$target"
mount --bind "$lab/nsswitch.conf" /etc/nsswitch.conf

: >"$lab/namespace-ready"
# A shell reaps the orphans that are handed to the first process.
trap : TERM INT HUP
while :; do
  sleep 3600 &
  wait
done
