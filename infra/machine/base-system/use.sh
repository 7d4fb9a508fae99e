#!/bin/sh
# Makes a tree the one that units run from. RootDirectory= names one directory
# for ever, and what is switched are links inside it: HAProxy's master executes
# itself anew, by its path, in the mounts of the time of its start.
# usage: use-base-system.sh [DIRECTORY NAME]   the unpacked tree, and what it is called;
#                                  without, only what is around it is made whole
set -eu
root=/var/lib/daytona-edge/base-system
cd "$root"
umask 022

# Programs of a tree that is no longer there could not be loaded again.
kept_trees=2

# What units bind here, what the system has in every root, and two users that
# no server has.
mkdir -p dev etc/daytona-edge etc/ssl etc/systemd etc/unbound home proc root run server-etc sys tmp \
  usr/local/lib/daytona-edge var/lib/daytona-edge var/tmp
chmod 1777 tmp var/tmp
cat >etc/passwd <<'PASSWD'
root:x:0:0:root:/root:/bin/sh
haproxy:x:61101:61101:daytona-edge:/nonexistent:/usr/sbin/nologin
unbound:x:61102:61102:daytona-edge:/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
PASSWD
cat >etc/group <<'GROUP'
root:x:0:
haproxy:x:61101:
unbound:x:61102:
nogroup:x:65534:
GROUP
echo 'hosts: files dns' >etc/nsswitch.conf
for directory in bin lib lib64 sbin; do
  ln -sfn "usr/$directory" "$directory"
  ln -sfn "../current/usr/$directory" "usr/$directory"
done
ln -sfn ../current/usr/share usr/share
# As the server has them at any time; /server-etc is as deep as /etc, for links.
ln -sfn ../server-etc/hosts etc/hosts
ln -sfn ../server-etc/resolv.conf etc/resolv.conf
ln -sfn ../../current/etc/ssl/openssl.cnf etc/ssl/openssl.cnf
# Authorities that the server trusts, an operator's own among them.
mkdir -p etc/ssl/certs
bundle=etc/ssl/certs/ca-certificates.crt
if [ -s "/$bundle" ]; then
  ln -sfn "../../../server-$bundle" "$bundle"
else
  ln -sfn "../../../current/$bundle" "$bundle"
fi

[ -n "${1:-}" ] || exit 0
mkdir -p trees
rm -rf "trees/$2"
mv "$1" "trees/$2"
ln -sfn "trees/$2" current.new
mv -T current.new current
# shellcheck disable=SC2012
ls -t trees | tail -n "+$((kept_trees + 1))" | while read -r old; do
  rm -rf "trees/${old:?}"
done
