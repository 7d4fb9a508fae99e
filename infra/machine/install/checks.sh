# shellcheck shell=sh disable=SC2154
# What must be so before anything is changed. All that is wrong is said at once.

check_server() {
  problems=
  check_system
  check_ports
  check_disk
  check_clock
  [ -n "$problems" ] || return 0
  message="this server cannot run $name yet:$problems"
  if ! rmdir "$installed" 2>/dev/null; then
    fail "$message"
  fi
  # Nothing was installed, and nothing but live state is left.
  rm "$home/install.lock"
  rmdir --ignore-fail-on-non-empty "$home"
  echo "daytona-edge install: $message" >&2
  exit 1
}

problem() {
  problems="$problems
  - $*"
}

check_system() {
  # shellcheck disable=SC1091
  . /etc/os-release
  if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-0}" -lt 13 ]; then
    problem "this is ${PRETTY_NAME:-an unknown system}; it needs Debian 13, whose HAProxy is 3.0"
  fi
}

# Of each port that the bundle's programs listen at: who else does so already.
# An address of our own is no stranger's, and a listener on another address
# than all of them takes none from us.
check_ports() {
  while read -r protocol port; do
    ss --no-header --listening --numeric --processes "--$protocol" "sport = :$port" |
      while read -r line; do
        case $line in
          *"0.0.0.0:$port "* | *"*:$port "* | *"[::]:$port "*) ;;
          *) continue ;;
        esac
        pid=$(printf '%s' "$line" | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
        unit=$(sed -n 's|.*/\([^/]*\.service\).*|\1|p' "/proc/${pid:-none}/cgroup" 2>/dev/null | head -n 1)
        case $unit in daytona-edge.service | daytona-gateway*.service) continue ;; esac
        program=$(cat "/proc/${pid:-none}/comm" 2>/dev/null || echo "the kernel")
        case $program in
          docker-proxy)
            echo "$protocol port $port is published by a container; change it where the container is defined, for example under \"ports\" in its compose file" ;;
          *)
            echo "$protocol port $port is taken by $program${unit:+ ($unit)}; move it to another port, or: systemctl disable --now ${unit:-its unit}" ;;
        esac
      done
  done <"$bundle/ports" | sort -u >"$work/problems"
  while read -r line; do
    problem "$line"
  done <"$work/problems"
}

# Debian's packages and a few bundles fit into it several times.
needed_megabytes=300

check_disk() {
  for directory in /usr /var; do
    free=$(df --output=avail --block-size=1M "$directory" | tail -n 1 | tr -d ' ')
    [ "$free" -ge "$needed_megabytes" ] ||
      problem "$directory has $free MB left; make it $needed_megabytes, for example with: apt-get clean; journalctl --vacuum-size=100M"
  done
}

# Certificates count in time. Somebody else's clock, asked without trust: a
# wrong one could only stop this install.
check_clock() {
  [ -s "$bundle/clock" ] || return 0
  said=$(curl --silent --insecure --head --max-time 10 "$(cat "$bundle/clock")" |
    sed -n 's/^[Dd]ate: *//p' | tr -d '\r')
  [ -n "$said" ] || return 0
  ahead=$(($(date +%s) - $(date --date="$said" +%s)))
  if [ "$ahead" -gt 300 ] || [ "$ahead" -lt -300 ]; then
    problem "the clock says $(date --utc --iso-8601=seconds), and $(cat "$bundle/clock") says $(date --utc --iso-8601=seconds --date="$said"); set it: timedatectl set-ntp true"
  fi
}
