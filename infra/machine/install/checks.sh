# shellcheck shell=sh disable=SC2154
# What must be so before anything is changed. All that is wrong is said at once.

check_server() {
  problems=
  check_system
  check_ports
  check_disk
  check_names
  check_clock
  check_sandboxes
  [ -n "$problems" ] || return 0
  # Not in the log: nothing was begun.
  echo "daytona-edge install: this server cannot run $name yet:$problems" >&2
  exit 1
}

problem() {
  problems="$problems
  - $*"
}

# Programs come from Debian 13: from the machine's own, or from the base system,
# which any server can hold that has what the units and the walls use.
check_system() {
  [ ! -s "$bundle/on-base-system" ] || return 0
  # shellcheck disable=SC1091
  . /etc/os-release
  if [ "$name" != base-system ]; then
    [ "${ID:-}${VERSION_ID:-}" = debian13 ] ||
      problem "this is ${PRETTY_NAME:-an unknown system}; it needs Debian 13, whose HAProxy is 3.0"
    return 0
  fi
  [ "$(uname -m)" = x86_64 ] ||
    problem "its processor is $(uname -m), and sandboxes of Daytona need x86_64: take another server"
  kernel=$(uname -r)
  at_least "$kernel" 5.15 ||
    problem "its kernel is $kernel; the firewalls need 5.15: install a newer one, or Debian 12 or 13, or Ubuntu 22.04 or 24.04"
  version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  at_least "${version:-0}" 249 ||
    problem "its systemd is ${version:-none}; the units need 249: take Debian 12 or 13, or Ubuntu 22.04 or 24.04"
  for program in ip ss nsenter unshare; do
    command -v "$program" >/dev/null ||
      problem "it has no program $program; for Debian and Ubuntu: apt-get install iproute2 util-linux"
  done
}

# usage: at_least VERSION LEAST
at_least() {
  printf '%s\n' "$2" "$1" | sort --check --version-sort 2>/dev/null
}

# Of each port that the bundle's programs listen at: who else does so already,
# on the same address, or one of them on all. (A gateway's own address comes with
# it.)
check_ports() {
  while read -r protocol port address; do
    case $name:$address in
      *:\*) ;;
      edge:*)
        [ -n "$(ip -o address show to "$address")" ] ||
          echo "it has no address $address, which host.listen names; its addresses are: $(hostname --all-ip-addresses)" ;;
    esac
    ss --no-header --listening --numeric --processes "--$protocol" "sport = :$port" |
      while read -r line; do
        case $line in
          *"0.0.0.0:$port "* | *"*:$port "* | *"[::]:$port "*) ;;
          *" $address:$port "* | *" [$address]:$port "*) ;;
          *) [ "$address" = "*" ] || continue ;;
        esac
        pid=$(printf '%s' "$line" | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
        unit=$(sed -n 's|.*/\([^/]*\.service\).*|\1|p' "/proc/${pid:-none}/cgroup" 2>/dev/null | head -n 1)
        case $unit in daytona-edge.service | daytona-gateway*.service) continue ;; esac
        program=$(cat "/proc/${pid:-none}/comm" 2>/dev/null || echo "the kernel")
        case $program in
          # The second where Docker has "userland-proxy": false.
          docker-proxy | dockerd)
            echo "$protocol port $port is published by a container; change it where the container is defined, for example under \"ports\" in its compose file$(beside_container "$port")" ;;
          caddy | nginx)
            echo "$protocol port $port is taken by $program${unit:+ ($unit)}; $(beside_web_server "$port") or: systemctl disable --now ${unit:-its unit}" ;;
          *)
            echo "$protocol port $port is taken by $program${unit:+ ($unit)}; move it to another port$(beside_others "$port"), or: systemctl disable --now ${unit:-its unit}" ;;
        esac
      done
  done <"$bundle/ports" | sort -u >"$work/problems"
  while read -r line; do
    problem "$line"
  done <"$work/problems"
  [ "$name" = edge ] || return 0
  for program in caddy nginx; do
    if grep -q " is taken by $program" "$work/problems"; then
      problems="$problems
$(web_server_lines "$program")"
    fi
  done
}

beside_web_server() {
  if [ "$name" = edge ]; then
    echo "let it serve its sites behind the edge (below),"
  else
    echo "let it listen at this server's own addresses in place of all (Caddy: default_bind ADDRESS; nginx: listen ADDRESS:$1),"
  fi
}

beside_others() {
  case $name:$1 in
    edge:80 | edge:443) echo ", where it can serve its sites behind the edge (host.otherSites)" ;;
  esac
}

beside_container() {
  case $name:$1 in
    edge:443) echo ' to "127.0.0.1:8443:443", and let it serve its sites behind the edge (host.otherSites)' ;;
    edge:80) echo ' to "127.0.0.1:8080:80", and let it serve its sites behind the edge (host.otherSites)' ;;
  esac
}

# What a web server needs that has the ports 443 and 80 so far.
web_server_lines() {
  cat <<'END'
    To serve its sites behind the edge, set in the stack's file
      daytona-edge:host:
        otherSites: {https: "127.0.0.1:8443", http: "127.0.0.1:8080"}
END
  case $1 in
    caddy) cat <<'END' ;;
    and in the braces at the top of /etc/caddy/Caddyfile (make them, if there are none)
      {
        http_port 8080
        https_port 8443
        default_bind 127.0.0.1
        servers {
          protocols h1 h2
        }
      }
    then: systemctl reload caddy, and pulumi up at once: until then nobody serves them.
END
    nginx) cat <<'END' ;;
    and in each server of /etc/nginx (grep -rn listen /etc/nginx), in place of 80 and 443
      listen 127.0.0.1:8080;
      listen 127.0.0.1:8443 ssl;
      port_in_redirect off;
    then: systemctl restart nginx, and pulumi up at once: until then nobody serves them.
END
  esac
}

# Debian's packages and a few bundles fit into it several times; so do trees of
# the base system, of which there are two, and what one is made of.
needed_megabytes=300

check_disk() {
  [ "$name" != base-system ] || needed_megabytes=900
  for directory in /usr /var; do
    free=$(df --output=avail --block-size=1M "$directory" | tail -n 1 | tr -d ' ')
    [ "$free" -ge "$needed_megabytes" ] ||
      problem "$directory has $free MB left; make it $needed_megabytes, for example with: apt-get clean; journalctl --vacuum-size=100M"
  done
}

# Whoever makes certificates asks others by name.
check_names() {
  [ -s "$bundle/clock" ] || return 0
  host=$(sed 's|^https*://||; s|[:/].*||' "$bundle/clock")
  getent ahosts "$host" >/dev/null ||
    problem "the name $host cannot be looked up here; put right the name servers in /etc/resolv.conf: $(sed -n 's/^nameserver *//p' /etc/resolv.conf | paste -sd ' ')"
}

# Certificates count in time. Somebody else's clock, asked without trust: a
# wrong one could only stop this install.
check_clock() {
  [ -s "$bundle/clock" ] || return 0
  # shellcheck disable=SC2046
  said=$($(entry "$bundle") curl --silent --insecure --head --max-time 10 "$(cat "$bundle/clock")" |
    sed -n 's/^[Dd]ate: *//p' | tr -d '\r')
  [ -n "$said" ] || return 0
  ahead=$(($(date +%s) - $(date --date="$said" +%s)))
  if [ "$ahead" -gt 300 ] || [ "$ahead" -lt -300 ]; then
    problem "the clock says $(date --utc --iso-8601=seconds), and $(cat "$bundle/clock") says $(date --utc --iso-8601=seconds --date="$said"); set it: timedatectl set-ntp true"
  fi
}

# A gateway stands before sandboxes whose bridge is this server's, or is in the
# network of the container that Daytona's runner is in. Anywhere else they would
# hide behind a container's address, and nobody would notice.
check_sandboxes() {
  # Only at first: root of a sandbox may make bridges, and would stop every update.
  [ ! -e "$state/current" ] || return 0
  hidden_sandboxes >"$work/problems"
  while read -r line; do
    problem "$line"
  done <"$work/problems"
}

hidden_sandboxes() {
  [ -s "$bundle/sandboxes" ] || return 0
  runners >"$work/runners"
  [ "$(wc -l <"$work/runners")" -lt 2 ] ||
    echo "$(cut -d ' ' -f 1 "$work/runners" | paste -sd ' ') are runners of Daytona, and a gateway stands before one; stop all but one: docker stop NAME"
  own=$(readlink /proc/self/ns/net)
  lsns --list --noheadings --type net --output NS,PID | while read -r namespace pid; do
    [ "net:[$namespace]" != "$own" ] || continue
    ! grep -qF " net:[$namespace]" "$work/runners" || continue
    while read -r network; do
      [ -n "$(inside "$pid" bridge "$network")" ] || continue
      # A sandbox may make bridges as it likes.
      [ -z "$(inside "$pid" veth "$network")" ] || continue
      echo "sandboxes of $network are behind a bridge in a container's own network (process $pid): Docker-in-Docker, in no container that is known as Daytona's runner (image daytona-runner, or Compose's service \"runner\" of a project with \"daytona\" in its name); name it so"
    done <"$bundle/sandboxes"
  done
}

# Prints the containers that Daytona's runner is in, with their network; as the
# gateway's own program knows them (runner.ts).
runners() {
  command -v docker >/dev/null || return 0
  docker ps --format '{{.Names}} {{.Image}} {{.Label "com.docker.compose.project"}}/{{.Label "com.docker.compose.service"}}' 2>/dev/null |
    awk '$2 ~ /(^|\/)(daytona|nightona)-runner([:@]|$)/ || $3 ~ /(daytona|nightona).*\/runner$/ { print $1 }' |
    while read -r runner; do
      network=$(readlink "/proc/$(docker inspect --format '{{.State.Pid}}' "$runner")/ns/net" || true)
      [ "$network" = "$(readlink /proc/self/ns/net)" ] || echo "$runner $network"
    done
}

# Prints the addresses in a network that a process has on interfaces of a kind.
# A process or an interface that is gone meanwhile has none.
# usage: inside PID KIND NETWORK
inside() {
  timeout 5 nsenter --net="/proc/$1/ns/net" ip -o -4 address show to "$3" 2>/dev/null |
    awk '{ print $2 }' | while read -r interface; do
    nsenter --net="/proc/$1/ns/net" ip -o link show dev "$interface" type "$2" 2>/dev/null || true
  done
}
