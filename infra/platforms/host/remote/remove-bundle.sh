#!/bin/sh
# Undoes what a bundle's install did. In the environment: BUNDLE, its name.
set -eu
install="/var/lib/daytona-edge/installed/$BUNDLE/install.sh"
if [ ! -e "$install" ]; then
  echo "daytona-edge: nothing is recorded of $BUNDLE on $(hostname); somebody removed $install, and what else is left of it is to be removed by hand" >&2
  exit 0
fi
exec "$install" --remove
