#!/bin/sh
# Makes the containers of a Daytona server as its compose file does: names of
# Compose's kind, one network, a privileged runner with a Docker of its own. The
# runner's image is the sandboxes' here, with the machine's own Docker in it, and
# the stand-in in it is API, proxy and runner at once. Beside it, what else
# the compose file starts, and a project that has nothing to do with Daytona.
set -eu
here=/usr/local/lib/daytona-lab

network() {
  docker network inspect "$1" >/dev/null 2>&1 || docker network create "$@" >/dev/null
}
# usage: container PROJECT SERVICE DOCKER-OPTION… IMAGE COMMAND…
container() {
  name=$1-$2-1
  project=$1
  service=$2
  shift 2
  docker container inspect "$name" >/dev/null 2>&1 ||
    docker run --detach --restart always --name "$name" --network-alias "$service" \
      --label "com.docker.compose.project=$project" \
      --label "com.docker.compose.service=$service" "$@" >/dev/null
}

network daytona_daytona-network --subnet 172.18.0.0/16
network shop_default --subnet 172.19.0.0/16

listen='socat TCP-LISTEN:6379,fork,reuseaddr SYSTEM:"echo +PONG"'
container daytona redis --network daytona_daytona-network daytona-lab sh -c "$listen"
container shop web --network shop_default daytona-lab sh -c "$listen"

programs=
for program in /usr/sbin/dockerd /usr/sbin/docker-proxy /usr/bin/docker \
  /usr/bin/containerd /usr/bin/containerd-shim-runc-v2 /usr/sbin/runc /usr/bin/runc /usr/bin/docker-init; do
  [ ! -e "$program" ] || programs="$programs --volume $program:$program:ro"
done
# shellcheck disable=SC2086
container daytona runner --network daytona_daytona-network --privileged \
  --publish 3000:3000 --publish 4000:4000 --publish 3003:3003 \
  --env-file /etc/daytona-lab/daytona.env --env STATE_DIRECTORY=/var/lib/daytona-lab \
  --volume "$here:$here:ro" --volume /etc/daytona-lab:/etc/daytona-lab:ro \
  --volume /srv/snapshots:/srv/snapshots:ro --volume /srv/layers:/srv/layers:ro \
  --volume /srv/runner-docker:/var/lib/docker $programs \
  daytona-lab "$here/runner.sh"
