#!/bin/sh
# Turns a bare Debian 13 into an edge or a gateway, or an older one into a
# newer one; the same script for cloud-init and for SSH. It stands beside the
# directory "bundle" of its archive. Nothing changed means nothing restarted.
# usage: install.sh              install or update
#        install.sh --remove     undo what it installed
set -eu

installed=/var/lib/daytona-edge/installed
log=/var/log/daytona-edge-install.log
here=$(dirname "$(readlink -f "$0")")

say() { printf '%s\n' "$*" | tee -a "$log"; }
fail() {
  say "daytona-edge install: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "it must run as root; log in as root or use sudo"

remove() {
  name=$(cat "$here/name")
  # What somebody took away by hand is no reason to leave the rest.
  tac "$here/units" | while read -r unit; do
    systemctl --quiet disable --now "$unit" || true
  done
  while read -r file; do
    rm -f "$file"
    rmdir --ignore-fail-on-non-empty --parents "$(dirname "$file")" 2>/dev/null || true
  done <"$here/manifest"
  rm -rf "/var/lib/daytona-edge/$name" "$here"
  rmdir --ignore-fail-on-non-empty "$installed" /var/lib/daytona-edge 2>/dev/null || true
  systemctl daemon-reload
  echo "$name: removed"
}

check_system() {
  # shellcheck disable=SC1091
  . /etc/os-release
  if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-0}" -lt 13 ]; then
    fail "this is ${PRETTY_NAME:-an unknown system}; it needs Debian 13, whose HAProxy is 3.0"
  fi
}

add_packages() {
  missing=
  while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done <"$bundle/packages"
  [ -n "$missing" ] || return 0
  say "adding packages:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  if ! { apt-get -q update && apt-get -q -y --no-install-recommends install $missing; } >>"$log" 2>&1; then
    fail "these packages could not be installed:$missing; the end of $log says why. Give the machine a Debian mirror that it can reach, or install them beforehand"
  fi
  # Debian starts what it installs. Ours run as units of their own.
  for package in $missing; do
    if [ -e "/usr/lib/systemd/system/$package.service" ]; then
      systemctl --quiet disable --now "$package.service"
    fi
  done
}

# The bundle's files are tried where they will stand, in a mount namespace of
# their own: nothing of the running system changes.
try_files() {
  check=$(cat "$bundle/check")
  # shellcheck disable=SC2016
  if ! unshare --mount sh -eu -c '
    for top in /etc /usr/local; do
      [ -d "$1/root$top" ] || continue
      mount -t overlay overlay -o "lowerdir=$1/root$top:$top" "$top"
    done
    exec sh "$2"
  ' try "$bundle" "$check" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "the files of this bundle do not pass $check; what was installed before stays. Whole log: $log"
  fi
}

put_files() {
  changed=$(mktemp)
  while read -r mode file; do
    staged="$bundle/root$file"
    if cmp -s "$staged" "$file" && [ "$(stat -c %a "$file")" = "$mode" ]; then
      continue
    fi
    mkdir -p "$(dirname "$file")"
    install -m "$mode" "$staged" "$file.new"
    mv -f "$file.new" "$file"
    echo "$file" >>"$changed"
  done <"$bundle/modes"
  cut -d ' ' -f 2- "$bundle/modes" >"$bundle/manifest"
  if [ -e "$state/manifest" ]; then
    grep -vxF -f "$bundle/manifest" "$state/manifest" | while read -r file; do
      rm -f "$file"
      echo "$file" >>"$changed"
    done
  fi
  mkdir -p "$state"
  cp "$here/install.sh" "$bundle/name" "$bundle/units" "$bundle/manifest" "$state/"
}

start_units() {
  if grep -q '^/etc/systemd/' "$changed"; then
    systemctl daemon-reload
  fi
  # A changed environment or unit needs a new process; other files only a reload.
  how=reload-or-restart
  if grep -qE '^/etc/systemd/|/env$|^/usr/local/' "$changed"; then
    how=restart
  fi
  # New live state alone touches no connection: only its agent starts again,
  # and "started" means that the state is in force.
  whose='*'
  grep -qv '^/var/lib/daytona-edge/store/' "$changed" || whose='*-agent.service'
  while read -r unit; do
    systemctl --quiet is-enabled "$unit" 2>/dev/null || systemctl --quiet enable "$unit"
    if ! systemctl --quiet is-active "$unit"; then
      # Not "start": it would wait for an older program that still tries to.
      systemctl restart "$unit" || unit_failed "$unit"
    elif [ -s "$changed" ]; then
      # shellcheck disable=SC2254
      case $unit in
        $whose) systemctl "$how" "$unit" || unit_failed "$unit" ;;
      esac
    fi
  done <"$bundle/units"
}

unit_failed() {
  # Without a journal the line below still says which unit.
  journalctl --no-pager --lines 20 --unit "$1" >&2 || true
  fail "$1 does not start; its journal is above"
}

if [ "${1:-}" = --remove ]; then
  remove
  exit 0
fi
[ $# = 0 ] || fail "unknown argument $1; it takes none, or --remove"

bundle="$here/bundle"
[ -e "$bundle/name" ] || fail "there is no bundle beside $here/install.sh"
name=$(cat "$bundle/name")
state="$installed/$name"

check_system
add_packages
try_files
put_files
start_units
if [ -s "$changed" ]; then
  say "$name: installed, $(wc -l <"$changed") files changed"
else
  say "$name: unchanged"
fi
rm -f "$changed"
