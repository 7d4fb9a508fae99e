#!/bin/sh
# Installs the agent of AWS' Session Manager, which neither Debian nor its image
# has, if it is the very package that the stack's configuration names. It dials
# out; no port opens.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/agent-install-deb.html
set -eu
# shellcheck disable=SC1091
. "$(dirname "$0")/env"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
curl -fsS --proto =https --max-time 120 --retry 5 --retry-delay 2 --retry-all-errors \
  --output "$work/agent.deb" "$SESSION_MANAGER_PACKAGE"
echo "$SESSION_MANAGER_SHA256  $work/agent.deb" | sha256sum --check --quiet
dpkg --install "$work/agent.deb"
systemctl enable --now amazon-ssm-agent.service
