#!/bin/sh
# Builds Pulumi's real command line from its published Go module, where its
# vendor's downloads are blocked. Safe to run twice at once and safe to kill:
# the kernel drops the lock of a dead process, and only a finished build gets
# the final name.
# usage: build.sh TARGET_DIRECTORY VERSION
set -eu
target=$1
version=$2

exec 9>"$target.lock"
flock 9
if [ -x "$target/bin/pulumi" ]; then
  exit 0
fi
rm -rf "$target".building
mkdir -p "$target.building/bin"

cd "$(dirname "$0")"
CGO_ENABLED=0 go build -mod=readonly -trimpath -tags osusergo,grpcnotrace \
  -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" \
  -o "$target.building/bin/pulumi" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
mv -T "$target.building" "$target"
