# shellcheck shell=sh disable=SC2154
# Releases of a bundle: the files of one take effect, or those of the one before.

kept_releases=3

# The bundle's files are tried where they will stand, in a mount namespace of
# their own: nothing of the running system changes.
try_files() {
  check=$(cat "$bundle/check")
  # shellcheck disable=SC2016,SC2046
  if ! unshare --mount sh -eu -c '
    for top in /etc /usr/local; do
      [ -d "$1/root$top" ] || continue
      mount -t overlay overlay -o "lowerdir=$1/root$top:$top" "$top"
    done
    shift
    exec "$@"
  ' try "$bundle" $(entry "$bundle") sh "$check" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    return 1
  fi
}

# What does not pass takes no effect, and what an install that was cut off has
# begun is undone.
refuse() {
  rm -f "$state/was-healthy"
  if [ -z "$previous" ]; then
    undo_bundle "$state"
    forget_bundle "$state"
  elif [ -e "$state/changed" ]; then
    take_effect "$previous" || say "$name: what was installed before does not serve either. Above is what it said" >&2
  fi
  [ "$previous" = "$release" ] || rm -rf "$state/releases/${release:?}"
  fail "the files of this bundle do not pass $check; what was installed before stays. Whole log: $log"
}

# Whether the bundle's programs serve, where the bundle can say so.
healthy() {
  # shellcheck disable=SC2046
  [ -s "$bundle/health" ] && $(entry "$bundle") curl -fsS --max-time 5 "$(cat "$bundle/health")" >/dev/null 2>&1
}

# What goes before a command of a bundle's own programs: nothing, or the way
# into the base system.
# usage: entry DIRECTORY   of the bundle or its release
entry() {
  [ ! -s "$1/on-base-system" ] || echo /usr/local/lib/daytona-edge/base-system/enter.sh
}

# Lays the bundle beside the older ones, with what removes it again; "current"
# still names the one before. It comes first: where an install is cut off later,
# a removal and the next install know by it what may have been begun.
keep_release() {
  release=$(digest_of "$bundle")
  previous=
  if [ -L "$state/current" ]; then
    previous=$(basename "$(readlink "$state/current")")
  fi
  rm -rf "$home/new"
  mkdir -p "$home/new/releases"
  cp "$here"/*.sh "$bundle/name" "$home/new/"
  cp -a "$bundle" "$home/new/releases/$release"
  # The removal takes the newest for what is in force, or was to be.
  touch "$home/new/releases/$release"
  if [ -e "$state" ]; then
    rm -rf "$state/releases/$release"
    mv "$home/new/releases/$release" "$state/releases/"
    mv "$home"/new/*.sh "$home/new/name" "$state/"
    rm -r "$home/new"
  else
    mv -T "$home/new" "$state"
  fi
  # One that was cut off may have made ill what was healthy.
  was_healthy=no
  if [ -e "$state/was-healthy" ] || healthy; then
    was_healthy=yes
    touch "$state/was-healthy"
  fi
}

# usage: digest_of DIRECTORY
digest_of() {
  (cd "$1" && find . -type f | sort | xargs sha256sum | sha256sum | cut -c 1-16)
}

forget_old_releases() {
  # shellcheck disable=SC2012
  ls -t "$state/releases" | tail -n "+$((kept_releases + 1))" | while read -r old; do
    rm -rf "$state/releases/${old:?}"
  done
}

# Puts a release's files in place and tells its units.
# usage: take_effect RELEASE
take_effect() {
  from="$state/releases/$1"
  # What an install that was cut off has put in place and told nobody of counts.
  touch "$state/changed"
  cp "$state/changed" "$work/changed"
  : >"$work/told"
  stop_dropped_units && put_files && start_units && repair_rules && stays_healthy || return 1
  ln -sfn "releases/$1" "$state/current"
  echo "${REPAIR:-}" >"$state/repair"
  rm -f "$state/changed" "$state/was-healthy"
}

# Back to what was there before, for what came does not serve.
take_back() {
  rm -f "$state/was-healthy"
  if [ -z "$previous" ]; then
    undo_bundle "$state"
    forget_bundle "$state"
    fail "this bundle's programs do not serve; its files are gone again. Above is what they said"
  fi
  if [ "$previous" = "$release" ]; then
    fail "the programs of the bundle that is installed do not serve. Above is what they said"
  fi
  if ! take_effect "$previous"; then
    fail "this bundle's programs do not serve, and those of the one before, which is back in its place, do not either. Above is what they said"
  fi
  rm -rf "$state/releases/${release:?}"
  fail "this bundle's programs do not serve; the one that was installed before is back in its place, and serves. Above is what they said"
}

# A unit that another release had, and this one has not, would run on for ever.
stop_dropped_units() {
  cat "$state"/releases/*/units | sort -u | grep -vxFf "$from/units" | while read -r unit; do
    [ -e "/etc/systemd/system/$unit" ] || continue
    systemctl --quiet disable --now "$unit" || return 1
    echo "$unit: stop" >>"$work/told"
  done
}

put_files() {
  changed_files >"$work/changes" || return 1
  while read -r mode file _; do
    mkdir -p "$(dirname "$file")" &&
      install -m "$mode" "$from/root$file" "$file.new" &&
      echo "$file" | tee -a "$state/changed" >>"$work/changed" &&
      mv -f "$file.new" "$file" || return 1
  done <"$work/changes"
  # What only another release had.
  cut -d ' ' -f 2- "$from/modes" | sort >"$work/paths"
  cat "$state"/releases/*/modes | cut -d ' ' -f 2- | sort -u | comm -23 - "$work/paths" |
    while read -r file; do
      [ -e "$file" ] || continue
      echo "$file" | tee -a "$state/changed" >>"$work/changed"
      rm "$file"
    done
  # What somebody else has put before them. The log keeps what it said.
  foreign_unit_files | while read -r file; do
    { echo "removed: $file" && cat "$file"; } >>"$log"
    echo "$file" | tee -a "$state/changed" >>"$work/changed"
    rm "$file"
    rmdir --ignore-fail-on-non-empty "$(dirname "$file")"
  done
}

start_units() {
  if grep -Eq '^/(etc|run)/systemd/' "$work/changed" || needs_reload; then
    systemctl daemon-reload
  fi
  # New live state alone touches no connection: only its agent starts again,
  # and "started" means that the state is in force.
  whose='*'
  grep -qv '^/var/lib/daytona-edge/store/' "$work/changed" || whose='*-agent.service'
  while read -r unit; do
    systemctl --quiet is-enabled "$unit" 2>/dev/null || systemctl --quiet enable "$unit"
    # shellcheck disable=SC2254
    if ! systemctl --quiet is-active "$unit"; then
      # Not "start": it would wait for an older program that still tries to.
      tell restart "$unit" || return 1
    elif [ -s "$work/changed" ]; then
      case $unit in
        $whose) tell "$(how_to_tell "$unit")" "$unit" || return 1 ;;
      esac
    fi
  done <"$from/units"
}

# Whether systemd has another unit in mind than its file says.
needs_reload() {
  # shellcheck disable=SC2046
  systemctl show -p NeedDaemonReload --value $(cat "$from/units") 2>/dev/null | grep -qx yes
}

# A changed unit needs a new process, but for one that holds connections: that
# one takes a new configuration and environment by a reload, and the rest of
# its unit when it starts the next time.
# usage: how_to_tell UNIT
how_to_tell() {
  if grep -Eq "/$1(\.d/.*)?\$" "$work/changed" && ! grep -qx "$1" "$from/holders"; then
    echo restart
  else
    echo reload-or-restart
  fi
}

# usage: tell HOW UNIT
tell() {
  if systemctl "$1" "$2"; then
    echo "$2: $1" >>"$work/told"
    return 0
  fi
  # Without a journal the line below still says which unit.
  journalctl --no-pager --lines 20 --unit "$2" >&2
  say "$2 does not start; its journal is above" >&2
  return 1
}

# Rules that are not those of the files any more are loaded again.
repair_rules() {
  [ -n "$(changed_rules)" ] || return 0
  unit=$(cut -d ' ' -f 1 "$from/rules")
  [ "$unit" = - ] || tell reload "$unit"
}

# A machine that was healthy must be so again; a new one waits for its state.
# Three times in a row, for at first the process before may answer.
stays_healthy() {
  [ "$was_healthy" = yes ] && [ -s "$work/changed" ] || return 0
  times=0
  for _ in $(seq 30); do
    sleep 1
    if healthy; then times=$((times + 1)); else times=0; fi
    [ "$times" -lt 3 ] || return 0
  done
  say "$name was healthy before, and is not 30 s after the change: $(cat "$bundle/health") does not answer 200" >&2
  return 1
}

# Takes away what a bundle has brought, as far as it is there. What somebody took
# away by hand, of units, of what they left behind or of directories, is no reason
# to leave the rest; nor is an install or a removal that was cut off.
# usage: undo_bundle STATE
undo_bundle() {
  # The newest is in force, or was to be.
  # shellcheck disable=SC2012
  newest="$1/releases/$(ls -t "$1/releases" | head -n 1)"
  # Each once, in the newest's order.
  cat "$newest/units" "$1"/releases/*/units | awk '!seen[$0]++' | tac | while read -r unit; do
    systemctl --quiet disable --now "$unit" || true
  done
  if [ -s "$newest/undo" ]; then
    # From its record, for it may not have come to its place.
    # shellcheck disable=SC2046
    $(entry "$newest") sh "$newest/root$(cat "$newest/undo")" || true
  fi
  cat "$1"/releases/*/modes | cut -d ' ' -f 2- | sort -u | while read -r file; do
    rm -f "$file" "$file.new"
    directory=$(dirname "$file")
    [ ! -d "$directory" ] || rmdir --ignore-fail-on-non-empty --parents "$directory"
  done
  systemctl daemon-reload
  rm -rf "${home:?}/$name"
}

# usage: remove_bundle STATE
remove_bundle() {
  name=$(cat "$1/name")
  undo_bundle "$1"
  # Of the last one.
  [ "$(ls "$installed")" != "$name" ] || rm -rf "$log" "$home/store"
  forget_bundle "$1"
  echo "$name: removed"
}

# Its record is whole until all else is gone, and then gone at once: a removal
# that was cut off is begun again.
# usage: forget_bundle STATE
forget_bundle() {
  rm -rf "$home/removed"
  mv -T "$1" "$home/removed"
  rm -rf "$home/removed"
}

report() {
  if [ ! -s "$work/changed" ] && [ ! -s "$work/told" ]; then
    say "$name: unchanged"
    return 0
  fi
  say "$name: installed, $(wc -l <"$work/changed") files changed"
  head -n 12 "$work/changed" | sed 's/^/  /'
  left=$(($(wc -l <"$work/changed") - 12))
  [ "$left" -le 0 ] || echo "  and $left more"
  sed 's/^/  /' "$work/told"
}
