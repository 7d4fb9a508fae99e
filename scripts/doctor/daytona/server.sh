# shellcheck shell=sh disable=SC2154
# What a server of Daytona's says of itself, of Daytona's containers, of the
# runner's network and of one sandbox, as lines of key, tab and value. Reads only:
# it makes, changes and stops nothing, and prints no token or password.
# Before it stand the variables name, address (of the host that sandboxes are to
# reach), sandbox (an id, or nothing), reach and rules (the scripts of those names).

id_of_sandbox='^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

# A value is one line: what a sandbox says is not to pass for more of them.
say() {
  printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')"
}

# Each step has its limit, so that one that hangs is a result.
within() {
  timeout -k 1 "$@" </dev/null
}

# A get of a page, by what is there. Whoever answers does not lead it elsewhere
# (BusyBox's wget follows, and has no option against it), nor fills any memory.
# usage: page URL [COMMAND BEFORE…]
page() {
  url=$1
  shift
  # shellcheck disable=SC2016
  said=$({
    within 6 "$@" sh -c '
      if command -v curl >/dev/null; then
        curl -sS -m 4 "$1"
      elif wget --help 2>&1 | grep -q max-redirect; then
        wget -q -T 4 --max-redirect=0 -O - "$1"
      else
        echo "neither curl nor GNU wget is there to ask with"
        exit 1
      fi' page "$url" 2>&1 || printf '\n%s' "$failed"
  } | head -c 65536)
  printf '%s' "${said%"
$failed"}"
  case $said in *"
$failed") return 1 ;; esac
}

# No page has it.
failed="page-failed-$$"

main() {
  say server.root "$([ "$(id -u)" = 0 ] && echo yes || echo no)"
  # shellcheck disable=SC1091
  say server.os "$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME"), kernel $(uname -r)"
  within 20 sh -c "$reach" reach host "$name" "$address" &
  within 10 sh -c "$rules" rules host
  listeners
  units
  if version=$(within 8 docker version --format '{{.Server.Version}}' 2>&1); then
    say server.docker "$version"
    within 8 docker info --format '{{.HTTPProxy}} {{.HTTPSProxy}}' 2>/dev/null | while read -r proxies; do
      [ -z "$proxies" ] || for proxy in $proxies; do say server.proxy "Docker: ${proxy##*@}"; done
    done
    networks server within 8 docker
    containers
    runner
  else
    say server.docker-error "$(printf '%s' "$version" | tail -n 1)"
  fi
  wait
}

listeners() {
  command -v ss >/dev/null || return 0
  ss -Hltnp 2>/dev/null | while read -r _ _ _ at _ users; do
    case ${at##*:} in
      80 | 443 | 2222 | 3000 | 3003 | 4000)
        program=${users#*\"}
        say server.listener "${at##*:} ${program%%\"*}" ;;
    esac
  done | sort -u
}

units() {
  command -v systemctl >/dev/null || return 0
  for unit in ufw firewalld nftables iptables caddy nginx; do
    [ "$(systemctl is-active "$unit" 2>/dev/null)" != active ] || say server.unit "$unit"
  done
  systemctl list-units --type=service --state=running --no-legend --plain '*daytona*runner*' '*nightona*runner*' 2>/dev/null |
    while read -r unit _; do
      # Those of this project are in front of a runner.
      case $unit in daytona-gateway*) ;; *) say server.runner-unit "${unit%.service}" ;; esac
    done
  if command -v ufw >/dev/null; then
    say server.ufw "$(ufw status 2>/dev/null | head -n 1)"
  fi
}

# usage: networks SCOPE DOCKER-COMMAND…
networks() {
  scope=$1
  shift
  ids=$("$@" network ls --quiet 2>/dev/null)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || "$@" network inspect \
    --format "$scope.network	{{.Name}}{{range .IPAM.Config}} {{.Subnet}}{{end}}" $ids 2>/dev/null
}

# Prints the service of Daytona's that a container is, by its image; by Compose's
# label where it also has Daytona's variables, for images may be built by oneself.
# A sandbox has the labels of its image, and any image; its name is its id.
# usage: service_of IMAGE COMPOSE-SERVICE CONTAINER NAME
service_of() {
  case $4 in -* | *[!A-Za-z0-9_.-]* | '') return ;; esac
  ! printf '%s\n' "$4" | grep -Eq "$id_of_sandbox" || return 0
  image=${1%%@*}
  image=${image##*/}
  image=${image%%:*}
  case $image in
    daytona-runner* | nightona-runner*) echo runner ;;
    daytona-proxy* | nightona-proxy*) echo proxy ;;
    daytona-api* | nightona-api*) echo api ;;
    daytona-ssh-gateway* | nightona-ssh-gateway*) echo ssh-gateway ;;
    *)
      case $2 in runner | proxy | api | ssh-gateway) ;; *) return ;; esac
      ! variables "$3" | grep -Eq '^(DAYTONA|NIGHTONA|PROXY)_(API|RUNNER)_|^(DAYTONA|NIGHTONA)_' || echo "$2" ;;
  esac
}

variables() {
  within 5 docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" 2>/dev/null
}

containers() {
  within 8 docker ps --all --format '{{.ID}}|{{.Names}}|{{.Image}}|{{.State}}|{{json (.Label "com.docker.compose.project")}}|{{json (.Label "com.docker.compose.service")}}' 2>/dev/null |
    while IFS='|' read -r id container image state project label; do
      service=$(service_of "$image" "$(plain "$label")" "$id" "$container")
      [ -n "$service" ] || continue
      project=$(plain "$project")
      say server.container "$service|$container|$image|$state|$project"
      variables "$id" | while IFS='=' read -r variable value; do
        case $variable in
          [Hh][Tt][Tt][Pp]_[Pp][Rr][Oo][Xx][Yy] | [Hh][Tt][Tt][Pp][Ss]_[Pp][Rr][Oo][Xx][Yy])
            [ -z "$value" ] || say server.proxy "$container: ${value##*@}" ;;
        esac
      done
      case $service:$state in
        proxy:running | runner:running)
          within 6 docker logs --tail 300 "$id" 2>&1 | grep -o 'dial tcp.*' | cut -c 1-160 | sort | uniq | tail -n 4 |
            while read -r line; do say server.dial-error "$container: $line"; done ;;
      esac
    done
}

# Prints a label that is a plain word, and nothing of any other.
plain() {
  word=${1#\"}
  word=${word%\"}
  case $word in *[!A-Za-z0-9_.-]*) ;; *) echo "$word" ;; esac
}

# usage: containers_of SERVICE; prints the names of those that run
containers_of() {
  within 8 docker ps --format '{{.ID}}|{{.Names}}|{{.Image}}|{{json (.Label "com.docker.compose.service")}}' 2>/dev/null |
    while IFS='|' read -r id container image label; do
      [ "$(service_of "$image" "$(plain "$label")" "$id" "$container")" != "$1" ] || echo "$container"
    done
}

# The one that has the sandbox that was asked for; else the first.
runner() {
  runners=$(containers_of runner)
  chosen=$(printf '%s\n' "$runners" | head -n 1)
  for one in $runners; do
    [ -z "$sandbox" ] || ! within 5 docker exec "$one" docker inspect --type container "$sandbox" >/dev/null 2>&1 || chosen=$one
  done
  daytona_answers "$chosen"
  if [ -n "$chosen" ]; then
    say runner.name "$chosen"
    say runner.container yes
    domain=$(variables "$chosen" | sed -n 's/^RUNNER_DOMAIN=//p')
    [ -z "$domain" ] || say runner.domain "$domain"
    proxy=$(containers_of proxy | head -n 1)
    if [ -n "$proxy" ] && [ -n "$domain" ]; then
      port=$(variables "$chosen" | sed -n 's/^API_PORT=//p')
      if said=$(page "http://$domain:${port:-3003}/" docker exec "$proxy"); then
        say server.proxy-to-runner "yes"
      else
        say server.proxy-to-runner "no $(printf '%s' "$said" | tail -n 1)"
      fi
    fi
    within 20 docker exec "$chosen" sh -c "$reach" reach runner "$name" "$address" &
    within 10 docker exec "$chosen" sh -c "$rules" rules runner
    prefix="docker exec $chosen"
  else
    # Sandboxes by the server's own Docker: a unit, or a container with its socket.
    prefix=
  fi
  if said=$(inner version --format '{{.Server.Version}}' 2>&1); then
    say runner.docker "$said"
  elif [ -n "$chosen" ]; then
    # Without a Docker of its own it has the server's, or none.
    say runner.docker-error "$(printf '%s' "$said" | tail -n 1)"
    return
  fi
  [ -z "$chosen" ] || networks runner inner
  a_sandbox
}

# A sandbox is a container that is named by its id.
a_sandbox() {
  running=$(inner ps --format '{{.Names}}' 2>/dev/null | grep -E "$id_of_sandbox")
  for id in $running; do say runner.sandbox "$id"; done
  id=${sandbox:-$(printf '%s\n' "$running" | head -n 1)}
  [ -n "$id" ] || return 0
  # shellcheck disable=SC2016
  said=$(inner inspect --type container --format '{{.Id}}|{{.State.Status}}|{{range $name, $of := .NetworkSettings.Networks}}{{$name}}={{$of.IPAddress}} {{end}}' "$id" 2>&1) ||
    { say sandbox.missing "$(printf '%s' "$said" | tail -n 1)" && return 0; }
  say sandbox.id "$id"
  say sandbox.container "$said"
  case $said in *'|running|'*) ;; *) return 0 ;; esac
  at=${said##*|}
  at=${at%% *}
  at=${at#*=}
  # shellcheck disable=SC2086
  if said=$(page "http://$at:2280/version" $prefix); then
    say sandbox.daemon "$said"
  else
    say sandbox.daemon-error "$(printf '%s' "$said" | tail -n 1)"
  fi
  if ! inner exec "$id" true 2>/dev/null; then
    say sandbox.exec-error "docker exec does not answer"
    return 0
  fi
  # Root there may print what it likes, and speaks for nobody else.
  # shellcheck disable=SC2086
  within 20 $prefix docker exec "$id" sh -c "$reach" reach sandbox "$name" "$address" | head -c 65536 |
    grep -aE '^sandbox\.(route|resolv|link|proxy|lookup|by-address|tcp|by-name|as-configured|ping|no-curl)	'
}

# A docker command where the sandboxes are.
inner() {
  # shellcheck disable=SC2086 # several words, or none
  within 8 $prefix docker "$@"
}

# The API and the proxy, asked where they are published, or at their own address.
daytona_answers() {
  for of in api:3000:/api/config proxy:4000:/health; do
    service=${of%%:*}
    port=${of#*:}
    path=${port#*:}
    port=${port%%:*}
    one=$(containers_of "$service" | head -n 1)
    own=$([ -z "$one" ] || within 5 docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$one" 2>/dev/null)
    for at in 127.0.0.1 $own; do
      said=$(page "http://$at:$port$path") || continue
      say "server.answer-$service" "$(printf '%s' "$said" | tr -d '\n' | cut -c 1-6000)"
      break
    done
  done
}

main
