#!/bin/sh
# Prints what programs run from, a line each: what HAProxy says that it is, the
# name of the tree, and how its last update ended.
set -eu
/usr/local/lib/daytona-edge/base-system/enter.sh haproxy -v | sed -n '1s/^HAProxy version \([^ ]*\).*/\1/p'
basename "$(readlink /var/lib/daytona-base-system/current)"
systemctl show --property=Result --value daytona-base-system.service
