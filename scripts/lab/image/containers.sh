#!/bin/sh
# Makes what Docker holds on a machine whose sandboxes have started never: the
# image of the sandboxes, imported once. A machine gets a copy of data, and the
# layers as they are.
# usage: containers.sh IMAGE_ROOT DIRECTORY
set -eu
root=$1
directory=$2
mkdir -p "$directory/data" "$directory/layers"

# shellcheck disable=SC2016 # for the shell in there
systemd-nspawn --quiet --directory="$root" --volatile=overlay --register=no \
  --keep-unit --private-network --capability=all --console=pipe \
  --bind="$directory/data:/var/lib/docker" --bind-ro="$root:/srv/root:norbind" \
  /bin/sh -euc '
    dockerd --bridge=none --iptables=false --pidfile=/run/docker.pid >/run/docker.log 2>&1 &
    for _ in $(seq 600); do
      if docker info >/dev/null 2>&1; then break; fi
      sleep 0.1
    done
    tar -C /srv/root --one-file-system -c \
      --exclude=./usr/bin/docker\* --exclude=./usr/bin/containerd\* --exclude=./usr/sbin/dockerd \
      --exclude=./var/cache --exclude=./var/lib/apt --exclude=./usr/share/doc . |
      docker import --change "ENV LANG=C.UTF-8" - daytona-lab || { cat /run/docker.log >&2; exit 1; }
    kill "$(cat /run/docker.pid)"
    wait'

for layer in "$directory"/data/overlay2/*/diff; do
  name=${layer%/diff}
  mv "$layer" "$directory/layers/${name##*/}"
  mkdir "$layer"
done
