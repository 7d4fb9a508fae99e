#!/bin/sh
# Takes away what the edge's units leave behind when they stop.
set -eu
rm -rf /run/daytona-edge
