#!/bin/sh
# Undoes what a bundle's install did. In the environment: BUNDLE, its name.
set -eu
exec "/var/lib/daytona-edge/installed/$BUNDLE/install.sh" --remove
