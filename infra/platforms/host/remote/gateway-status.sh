#!/bin/sh
# Prints, as JSON, what of the live state the gateway has put into force.
set -eu
exec cat /run/daytona-gateway/status.json
