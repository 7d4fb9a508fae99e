#!/bin/sh
# First boot on AWS: takes the bundle that the stack laid into its bucket, makes
# sure that it is that very one, and installs it. The bundle itself would not
# fit: EC2 takes 16 KiB of user data.
set -eu
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/env"
# shellcheck disable=SC1091
. "$here/imds.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v curl >/dev/null; then
  apt-get -q update && apt-get -q -y --no-install-recommends install curl
fi
# First of all, for it is what one looks at a machine with that does not serve.
if [ -e "$here/session-manager.sh" ]; then
  sh "$here/session-manager.sh" ||
    echo "SESSION MANAGER IS NOT INSTALLED: aws.sessionManager's package could not be had, or is not the one of its sha256. The machine serves without" >&2
fi
if [ -e "$here/public-addresses" ]; then
  install -D -m 644 "$here/public-addresses" /etc/daytona-edge/aws/public-addresses
fi
aws_curl s3 "$AWS_REGION" --retry 30 --retry-delay 2 --retry-all-errors \
  --output "$work/bundle.tar.gz" \
  "https://$BUNDLE_BUCKET.s3.$AWS_REGION.amazonaws.com/$BUNDLE_KEY"
echo "$BUNDLE_SHA256  $work/bundle.tar.gz" | sha256sum --check --quiet
tar -xzf "$work/bundle.tar.gz" -C "$work" --no-same-owner
sh "$work/install.sh"
