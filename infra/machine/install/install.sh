#!/bin/sh
# Puts a bundle on a machine, or a newer one in the place of an older one; the
# same script for cloud-init and for SSH. It stands beside the
# directory "bundle" of its archive. Nothing changed means nothing restarted;
# what does not start, or makes a healthy machine ill, is taken back.
# usage: install.sh              install or update
#        install.sh --verify     print what was changed by hand since
#        install.sh --remove     undo what it installed
# In the environment: REPAIR, a word that is kept with what is installed.
set -eu
# Orders, and so digests, are the same for everybody who logs in.
export LC_ALL=C

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
# shellcheck source-path=SCRIPTDIR
. "$here/verify.sh"

say() { printf '%s\n' "$*" | tee -a "$log"; }
fail() {
  say "daytona-edge install: $*" >&2
  exit 1
}

# Bundles that come to one server at the same time wait for each other. Whoever
# went before may have taken the lock away, with the last bundle.
take_lock() {
  mkdir -p "$installed"
  exec 9>"$home/install.lock"
  flock 9
  [ "$(stat -c %i "$home/install.lock" 2>/dev/null)" = "$(stat -L -c %i /proc/self/fd/9)" ] || take_lock
}

# Takes away what installs have unpacked that were cut off: theirs has the number
# of a process that is no more.
sweep() {
  for unpacked in /run/daytona-edge-install.*; do
    [ -e "/proc/${unpacked##*.}" ] || rm -rf "$unpacked"
  done
  rm -rf /run/daytona-edge-install.$$
}

# Where no bundle is installed nothing of ours stays: after the last one is
# removed, and after a first one that failed.
leave() {
  rm -rf "$home/new"
  # Files of ours without a record are somebody's doing.
  if [ -z "$(ls "$installed")" ] && [ ! -e /usr/local/lib/daytona-edge ]; then
    rmdir "$installed"
    rm -f "$home/install.lock"
    rmdir --ignore-fail-on-non-empty "$home"
  fi
  rm -rf "$work"
}

[ "$(id -u)" = 0 ] || fail "it must run as root; log in as root or use sudo"
take_lock
sweep
work=/run/daytona-edge-install.$$
mkdir -m 700 "$work"
trap leave EXIT

case ${1:-} in
  --remove)
    # What runs from the base system goes before it. A stack does not know of
    # bundles whose first install was cut off.
    if [ "$(cat "$here/name")" = base-system ]; then
      for other in "$installed"/*; do
        [ "$other" = "$here" ] || remove_bundle "$other"
      done
    fi
    remove_bundle "$here"
    exit 0
    ;;
  --verify)
    name=$(cat "$here/name")
    verify_release "$here"
    exit 0
    ;;
  '') ;;
  *) fail "unknown argument $1; it takes none, --verify or --remove" ;;
esac

bundle="$here/bundle"
[ -e "$bundle/name" ] || fail "there is no bundle beside $here/install.sh"
name=$(cat "$bundle/name")
state="$installed/$name"

check_server
add_packages
keep_release
try_files || refuse
take_effect "$release" || take_back
forget_old_releases
report
