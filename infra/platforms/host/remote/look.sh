#!/bin/sh
# Says of each thing that the stack has put on this server how it is: a line
# "= NAME REPAIR" with the word that its last install was given, and below it a
# line "! …" for each change that came from somebody else.
set -eu
home=/var/lib/daytona-edge

for state in "$home"/installed/*/; do
  [ -e "$state/current" ] || continue
  # One that was taken away is the same as none: the next install is told another.
  repair=$(cat "$state/repair" 2>/dev/null || true)
  echo "= $(basename "$state") $repair"
  if ! said=$("$state/install.sh" --verify 2>&1); then
    said="cannot be compared: $said"
  fi
  [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/! /'
done

[ -d "$home/written" ] || exit 0
find "$home/written" -name repair | sort | while read -r repair; do
  record=$(dirname "$repair")
  document=${record#"$home/written/"}
  echo "= $document $(cat "$repair")"
  if [ ! -s "$home/$document" ]; then
    echo "! file $home/$document: missing"
  elif [ -e "$record/sum" ] && ! sha256sum --check --status "$record/sum"; then
    echo "! file $home/$document: other content"
  fi
done
