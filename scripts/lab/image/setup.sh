#!/bin/sh
# Last step of making the lab's image: what every machine of the lab shares.
# Runs outside the new root; mmdebstrap passes it as the first argument.
set -eu
root=$1
here=$(dirname "$0")

# Debian starts what it installs; on a lab machine only the bundles and the
# machine's own files decide what runs.
for unit in haproxy unbound ulogd2 pebble ssh nftables docker containerd caddy nginx; do
  if [ -e "$root/usr/lib/systemd/system/$unit.service" ]; then
    chroot "$root" systemctl --quiet disable "$unit.service"
  fi
done
chroot "$root" systemctl --quiet disable docker.socket
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer \
  console-getty.service systemd-networkd-wait-online.service dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
# Nobody is there to be asked, and each of these holds one of the 128 inotify
# instances that a kernel gives all of the computer's labs together.
chroot "$root" systemctl --quiet mask systemd-ask-password-console.path systemd-ask-password-wall.path

install -m 644 "$here/90-lab.cfg" "$root/etc/cloud/cloud.cfg.d/90-lab.cfg"
install -m 644 "$here/lab-network.service" "$root/etc/systemd/system/"
chroot "$root" systemctl --quiet enable lab-network.service systemd-networkd.service
# networkd would ask for an address by DHCP.
ln -s /dev/null "$root/etc/systemd/network/80-container-host0.network"

# As Debian's initramfs mounts it on a machine that has one.
echo 'tmpfs /run tmpfs nosuid,nodev,noexec,mode=755 0 0' >>"$root/etc/fstab"

# Each machine makes its own on its first boot.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/resolv.conf"
: >"$root/etc/machine-id"

# Of the world's 140 authorities none signs anything in the lab, and an update of
# a sandbox's store starts five programs for each.
sed -i '/^mozilla\//{/ISRG/!d}' "$root/etc/ca-certificates.conf"
chroot "$root" update-ca-certificates --fresh >/dev/null
