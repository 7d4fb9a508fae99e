#!/bin/sh
# What runs in the container of Daytona's runner: a Docker of its own, which
# listens on the network as well, and the runner, which makes its network.
set -eu
# The runner's API, which sandboxes must not reach. What comes by UDP is kept, for
# suites that count it.
socat TCP-LISTEN:3003,fork,reuseaddr SYSTEM:'echo runner' &
socat -u UDP4-RECV:3003 OPEN:/var/lib/docker/udp-3003,creat,append &
# As a container that is started again finds what the one before left.
rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:2375 >/var/log/dockerd.log 2>&1 &
until docker info >/dev/null 2>&1; do sleep 0.1; done
docker network inspect runner-bridge >/dev/null 2>&1 ||
  docker network create runner-bridge --subnet 172.20.0.0/16 \
    -o com.docker.network.bridge.enable_icc=false >/dev/null
mkdir -p "$STATE_DIRECTORY"
exec node /usr/local/lib/daytona-lab/server.cjs
