# shellcheck shell=sh
# A package that Debian does not have, and that brings a user, in a repository on
# the disk.
mkdir -p /root/repository
(
  cd /root/repository || exit
  mkdir -p tree/DEBIAN tree/usr/share/daytona-lab
  cat >tree/DEBIAN/control <<'EOF'
Package: daytona-lab-guest
Version: 1
Architecture: all
Maintainer: the lab <root@localhost>
Description: comes and goes in a test
EOF
  printf '#!/bin/sh\nuseradd --system daytona-lab-guest\n' >tree/DEBIAN/postinst
  chmod 755 tree/DEBIAN/postinst
  echo here >tree/usr/share/daytona-lab/guest
  dpkg-deb --build --root-owner-group tree guest.deb >/dev/null
  {
    cat tree/DEBIAN/control
    echo "Filename: ./guest.deb"
    echo "Size: $(stat -c %s guest.deb)"
    echo "SHA256: $(sha256sum guest.deb | cut -d ' ' -f 1)"
  } >Packages
  rm -r tree
)
