#!/bin/sh
# Makes unpacked packages a tree: what their maintainer scripts would have done
# and our programs need, without what nobody reads.
# usage: finish.sh DIRECTORY
set -eu
cd "$1"
rm -rf usr/share/doc usr/share/info usr/share/locale usr/share/man \
  usr/share/lintian usr/share/bash-completion usr/lib/python3*
ln -sfn mawk usr/bin/awk
mkdir -p etc/ssl/certs
cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
# The rest of what packages lay into /etc, and all of /var, belongs to services
# that run from no tree.
for kept in *; do
  case $kept in etc | usr) ;; *) rm -rf "$kept" ;; esac
done
find etc -mindepth 1 -maxdepth 1 ! -name ssl -exec rm -rf {} +
