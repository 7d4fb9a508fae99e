#!/bin/sh
# Prints what the gateway's agent has found of sandboxes, as JSON.
set -eu
exec cat /run/daytona-gateway/sandboxes.json
