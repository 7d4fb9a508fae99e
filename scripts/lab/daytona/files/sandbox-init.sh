#!/bin/sh
# First process of a sandbox, in namespaces of its own: puts the root of the
# image in place of the computer's root and becomes the image's entrypoint.
# All capabilities stay, as Daytona starts its containers privileged.
# usage: sandbox-init.sh ID
set -eu
id=$1
state=/run/daytona-lab
layers="$state/sandboxes/$id"
root="$layers/root"

mkdir -p "$layers/upper" "$layers/work" "$root"
mount -t overlay overlay \
  -o "lowerdir=$state/snapshot:$SANDBOX_IMAGE,upperdir=$layers/upper,workdir=$layers/work" \
  "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do
  ln -s "/proc/self/fd/${stream%:*}" "$root/dev/${stream#*:}"
done

hostname "$id"
echo "$id" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost\n%s %s\n%s %s\n' \
  "$SANDBOX_ADDRESS" "$id" "$SANDBOX_ADDRESS6" "$id" >"$root/etc/hosts"
install -D -m 600 "/var/lib/daytona-lab/units/$id.environment" \
  "$root/etc/daytona/environment"

cd "$root"
pivot_root . mnt
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  HOME=/root LANG=C.UTF-8 DAYTONA_SANDBOX_ID="$id" \
  chroot . /bin/sh -c 'umount -l /mnt && exec /usr/local/bin/entrypoint'
