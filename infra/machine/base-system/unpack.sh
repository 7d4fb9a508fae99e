#!/bin/sh
# Unpacks the archive that host.baseSystem.file names, once it is what its
# SHA-256 says: from where the stack has laid it, or from its address.
# usage: unpack.sh DIRECTORY
# In the environment: FILE, a path here or a URL; FILE_SHA256.
set -eu
# Beside the trees: of one that is cut off the next one takes it away.
work=$(mktemp -d -p "$(dirname "$1")")
trap 'rm -rf "$work"' EXIT
case $FILE in
  *://*) /usr/lib/apt/apt-helper download-file "$FILE" "$work/archive" "SHA256:$FILE_SHA256" >&2 ;;
  *)
    # Whoever logs in laid it there and may still write it: judged is our copy.
    cp "$FILE" "$work/archive"
    ;;
esac
if ! echo "$FILE_SHA256  $work/archive" | sha256sum --check --status; then
  echo "daytona-edge: the base system's file is another than host.baseSystem says: its SHA-256 is $(sha256sum "$work/archive" | cut -d ' ' -f 1) instead of $FILE_SHA256" >&2
  exit 1
fi
mkdir -p "$1"
tar -x -f "$work/archive" -C "$1" --no-same-owner
