#!/bin/sh
# Lets programs run from another tree: first their own checks judge our files in
# it, then units are told, by reloads where connections are held; where they do
# not serve, all of it is taken back.
# usage: switch.sh DIRECTORY NAME   a finished tree, and what it shall be called
set -eu
here=$(dirname "$(readlink -f "$0")")
home=/var/lib/daytona-edge
root=/var/lib/daytona-base-system
tree=trees/$2

"$here/use.sh"
# A switch that was cut off: units may run from either, and "before" served.
if [ -s "$root/before" ]; then
  ln -sfnT "$(cat "$root/before")" "$root/current"
fi
before=$(readlink "$root/current" || true)
rm -rf "${root:?}/$tree"
mv "$1" "$root/$tree"

# Releases of bundles whose programs are the base system's.
releases() {
  for release in "$home"/installed/*/current; do
    [ ! -s "$release/on-base-system" ] || echo "$release"
  done
}

# usage: point TREE
point() {
  ln -sfn "$1" "$root/current.new"
  mv -T "$root/current.new" "$root/current"
}

# A unit that holds connections is reloaded, another that runs is restarted. What
# only loads something, and has ended, loaded the same.
tell() {
  for release in $(releases); do
    while read -r unit; do
      case $unit in *.service) ;; *) continue ;; esac
      systemctl --quiet is-active "$unit" || continue
      [ "$(systemctl show --property=Type --value "$unit")" != oneshot ] || continue
      if grep -qx "$unit" "$release/holders"; then how=reload; else how=restart; fi
      systemctl "$how" "$unit" || return 1
    done <"$release/units"
  done
}

# Those that are healthy, by the addresses that say so.
healthy() {
  for release in $(releases); do
    address=$(cat "$release/health")
    [ -n "$address" ] || continue
    ! "$here/enter.sh" curl -fsS --max-time 5 "$address" >/dev/null 2>&1 || echo "$release"
  done
}

# Three times in a row, for at first the process before may answer.
stays_healthy() {
  [ -n "$was_healthy" ] || return 0
  times=0
  for _ in $(seq 30); do
    sleep 1
    if [ "$(healthy)" = "$was_healthy" ]; then times=$((times + 1)); else times=0; fi
    [ "$times" -lt 3 ] || return 0
  done
  echo "daytona-edge: what was healthy before is not, 30 s after the change" >&2
  return 1
}

for release in $(releases); do
  if ! TREE=$tree "$here/enter.sh" sh "$(cat "$release/check")" >&2; then
    rm -rf "${root:?}/$tree"
    echo "daytona-edge: the new base system is not used: its programs do not take the files of $(cat "$release/name")" >&2
    exit 1
  fi
done
was_healthy=$(healthy)
printf '%s' "$before" >"$root/before"
point "$tree"
if tell && stays_healthy; then
  rm "$root/before"
  # Programs that run still have theirs in memory.
  find "$root/trees" -mindepth 1 -maxdepth 1 ! -path "$root/$tree" -exec rm -rf {} +
  exit 0
fi
if [ -n "$before" ]; then
  point "$before"
  tell || true
fi
rm -rf "$root/before" "${root:?}/$tree"
echo "daytona-edge: the new base system does not serve; the one before is back in its place. Above is what units said" >&2
exit 1
