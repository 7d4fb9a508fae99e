#!/bin/sh
# Makes a tree of Debian 13's packages, downloaded by an apt of its own: no
# package, no key and no list of this server is touched, and no maintainer
# script runs.
# usage: download.sh DIRECTORY [PACKAGES]
#        PACKAGES is the list of another tree's: with the same, nothing is made
# In the environment: MIRROR, of Debian; SECURITY_MIRROR. Those of this server's
# own apt where they are empty.
set -eu
directory=$1
here=$(dirname "$(readlink -f "$0")")
# Not in /tmp, which may be the server's memory.
work=$(mktemp -d -p "$(dirname "$directory")")
trap 'rm -rf "$work"' EXIT

# The mirror that this server's apt has of a suite of Debian, of which others
# have suites of the same name, but no component "main".
# usage: own_mirror SUITE
own_mirror() {
  # shellcheck disable=SC2016 # apt's own words
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' |
    sed -n "s/^$1 //p" | head -n 1
}
# shellcheck disable=SC1091
. /etc/os-release
if [ "${ID:-}" = debian ]; then
  MIRROR=${MIRROR:-$(own_mirror "$VERSION_CODENAME")}
  SECURITY_MIRROR=${SECURITY_MIRROR:-$(own_mirror "$VERSION_CODENAME-security")}
fi
if [ -z "$MIRROR" ]; then
  echo "daytona-edge: this server's apt knows no mirror of Debian, whose version 13 the programs run from; name one in host.baseSystem.mirror (https://www.debian.org/mirror/list)" >&2
  exit 1
fi

mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
: >"$work/status"
key="$here/debian-archive-keys.asc"
cat >"$work/sources.list" <<SOURCES
deb [signed-by=$key] $MIRROR trixie main
deb [signed-by=$key] $MIRROR trixie-updates main
deb [signed-by=$key] ${SECURITY_MIRROR:-${MIRROR%/}-security} trixie-security main
SOURCES
private_apt() {
  apt-get -q -o Dir::State="$work" -o Dir::State::status="$work/status" \
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
    -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
    -o APT::Install-Recommends=false -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=3 \
    -o APT::Update::Error-Mode=any "$@" >&2
}
private_apt update
# shellcheck disable=SC2046 # a word each
private_apt -y --print-uris install $(cat "$here/packages") 2>&1 |
  sed -n "s/^'.*' \([^ ]*\.deb\) .*/\1/p" | sort >"$work/packages"
if [ -e "${2:-}" ] && cmp -s "$2" "$work/packages"; then exit 0; fi
# shellcheck disable=SC2046
private_apt -y --download-only install $(cat "$here/packages")
mkdir -p "$directory"
for package in "$work"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" |
    tar -x -C "$directory" --keep-directory-symlink --no-same-owner
done
"$here/finish.sh" "$directory"
mv "$work/packages" "$directory/packages"
