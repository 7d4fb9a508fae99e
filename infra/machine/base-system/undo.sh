#!/bin/sh
# Takes the base system away.
set -eu
# Where a unit's /run/host was mounted.
rmdir /run/host 2>/dev/null || true
rm -rf /var/lib/daytona-base-system /tmp/daytona-edge-base-system-*
# Not there where an install went no further than its checks.
systemctl clean --what=state daytona-base-system.timer 2>/dev/null || true
