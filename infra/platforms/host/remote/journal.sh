#!/bin/sh
# Prints rows of the journal, one JSON object a line.
# In the environment: SECONDS_AGO, how old the oldest may be; UNITS, whose.
set -eu
journalctl --sync
for unit in $UNITS; do set -- "$@" "--unit=$unit"; done
# Without --all, text beyond 4096 bytes comes as null (journalctl(1)).
exec journalctl --quiet --no-pager --all --output=json \
  --output-fields=MESSAGE,_SYSTEMD_UNIT --since="-${SECONDS_AGO}s" "$@"
