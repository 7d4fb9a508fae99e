#!/bin/sh
# Makes what is around the trees whole: the root that units have, in which each
# program's path leads into the tree of the link "current". RootDirectory= names
# one directory for ever, and what is switched is inside it: HAProxy's master
# executes itself anew, by its path, in the mounts of the time of its start.
set -eu
root=/var/lib/daytona-base-system
umask 022
mkdir -p "$root"
cd "$root"

# What units bind here, what the system has in every root, and two users that
# no server has.
mkdir -p dev etc/ssl/certs etc/unbound home proc root run server-etc \
  server-usr-local sys tmp trees usr/local/lib var/lib/daytona-edge var/tmp
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
for name in daytona-edge hosts resolv.conf systemd; do
  ln -sfn "../server-etc/$name" "etc/$name"
done
ln -sfn ../../../server-usr-local/lib/daytona-edge usr/local/lib/daytona-edge
ln -sfn ../../current/etc/ssl/openssl.cnf etc/ssl/openssl.cnf
# Authorities that the server trusts, an operator's own among them.
bundle=etc/ssl/certs/ca-certificates.crt
if [ -s "/$bundle" ]; then
  ln -sfn "../../../server-$bundle" "$bundle"
else
  ln -sfn "../../../current/$bundle" "$bundle"
fi
