#!/bin/sh
# Runs a verb of the certificate's program. In the environment: VERB.
set -eu
exec /usr/local/lib/daytona-edge/run-certificate.sh "$VERB"
