#!/bin/sh
# Prints the authority that the gateway signs inspected hosts with.
# In the environment: GATEWAY, its address.
set -eu
exec nsenter --net=/run/daytona-gateway-runner/namespace /usr/local/lib/daytona-edge/base-system/enter.sh curl -fsS --retry 30 --retry-delay 1 --retry-all-errors "http://$GATEWAY/ca.pem"
