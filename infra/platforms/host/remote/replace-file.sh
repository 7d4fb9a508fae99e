# shellcheck shell=sh
# Begins each script that writes a document of the live state. A power cut
# leaves the old one or the new one, and a run that is cut off the old one.

# Lays what comes on standard input beside the file $1, for root alone: in $new.
receive() {
  umask 077
  new="$(dirname "$1")/.$(basename "$1").new"
  trap 'rm -f "$new"' EXIT
  cat >"$new"
}

# Puts what was received in the place of the file $1. The new name of a file is
# on the disk only when its directory is.
replace() {
  sync "$new"
  mv "$new" "$1"
  sync "$(dirname "$1")"
}
