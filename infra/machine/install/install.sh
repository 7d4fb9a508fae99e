#!/bin/sh
# Turns a bare Debian 13 into an edge or a gateway, or an older one into a
# newer one; the same script for cloud-init and for SSH. It stands beside the
# directory "bundle" of its archive. Nothing changed means nothing restarted;
# what does not start, or makes a healthy machine ill, is taken back.
# usage: install.sh              install or update
#        install.sh --remove     undo what it installed
set -eu

home=/var/lib/daytona-edge
installed=$home/installed
log=/var/log/daytona-edge-install.log
here=$(dirname "$(readlink -f "$0")")

# shellcheck source-path=SCRIPTDIR
. "$here/checks.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/packages.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/releases.sh"

say() { printf '%s\n' "$*" | tee -a "$log"; }
fail() {
  say "daytona-edge install: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "it must run as root; log in as root or use sudo"
mkdir -p "$installed"
# Bundles that come to one server at the same time wait for each other.
exec 9>"$home/install.lock"
flock 9
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case ${1:-} in
  --remove)
    name=$(cat "$here/name")
    remove_release "$here"
    rm -rf "${home:?}/$name" "$here"
    if rmdir "$installed" 2>/dev/null; then
      remove_packages
      rm -rf "$home" "$log"
    fi
    echo "$name: removed"
    exit 0
    ;;
  '') ;;
  *) fail "unknown argument $1; it takes none, or --remove" ;;
esac

bundle="$here/bundle"
[ -e "$bundle/name" ] || fail "there is no bundle beside $here/install.sh"
name=$(cat "$bundle/name")
state="$installed/$name"

check_server
add_packages
try_files
was_healthy=no
! healthy || was_healthy=yes
keep_release
take_effect "$release" || take_back
forget_old_releases
report
