#!/bin/sh
# Holds the operators' lock on the store until standard input ends, as it does
# when the connection breaks; prints a line once it has it. The certificate's
# program has another: a revocation does not wait for an order.
# In the environment: TIMEOUT, in seconds.
set -eu
lock=/var/lib/daytona-edge/store/.operators.lock
if [ ! -d "$(dirname "$lock")" ]; then
  echo "daytona-edge: $(dirname "$lock") is missing on $(hostname); nothing is installed there: run pulumi up first" >&2
  exit 1
fi
status=0
flock --timeout "$TIMEOUT" --conflict-exit-code 75 "$lock" sh -c 'echo locked; exec cat' || status=$?
[ "$status" -ne 75 ] || echo "daytona-edge: $lock on $(hostname) is still locked by another operator's command after $TIMEOUT s; lslocks there shows which" >&2
exit "$status"
