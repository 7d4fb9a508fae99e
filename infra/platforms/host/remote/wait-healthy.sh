#!/bin/sh
# Waits until the edge serves a real certificate and knows which tokens count.
set -eu
enter=/usr/local/lib/daytona-edge/base-system/enter.sh
if "$enter" curl -fsS --max-time 5 --retry 300 --retry-delay 1 --retry-max-time 90 \
  --retry-all-errors http://127.0.0.1:8404/healthz >/dev/null 2>&1; then
  exit 0
fi
echo "daytona-edge: the edge is not healthy after 90 s; what its agent says:" >&2
"$enter" curl -sS --max-time 5 http://127.0.0.1:8404/status >&2
exit 1
