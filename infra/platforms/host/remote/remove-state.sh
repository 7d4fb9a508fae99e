#!/bin/sh
# Removes a document of the live state, and what it leaves empty.
set -eu
rm -f "/var/lib/daytona-edge/$DOCUMENT"
rmdir --ignore-fail-on-non-empty --parents "$(dirname "/var/lib/daytona-edge/$DOCUMENT")" 2>/dev/null || true
