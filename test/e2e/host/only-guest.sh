# shellcheck shell=sh
# In a mount namespace of an install: apt knows no other repository.
mount -t tmpfs tmpfs /var/lib/apt/lists
mount -t tmpfs tmpfs /etc/apt/sources.list.d
[ ! -e /etc/apt/sources.list ] || mount --bind /dev/null /etc/apt/sources.list
echo 'deb [trusted=yes] file:/root/repository ./' >/etc/apt/sources.list.d/lab.list
