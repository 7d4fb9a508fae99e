#!/bin/sh
# Runs a verb of the certificate's program now, as its timer would: prints its
# JSON line, or what it said when it failed.
# usage: run-certificate.sh account|find-account|issue
set -eu
unit="daytona-certificate@$1.service"
if systemctl --quiet start "$unit"; then
  cat "/run/daytona-certificate-$1.json"
  exit 0
fi
run=$(systemctl show --property=InvocationID --value "$unit")
journalctl --no-pager --output=cat "_SYSTEMD_INVOCATION_ID=$run" >&2
exit 1
