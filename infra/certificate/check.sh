#!/bin/sh
# Judges the certificate's files where they stand: the units by systemd, the
# program with the very environment that the timer will give it. Used before an
# install takes effect.
set -eu
set -a
# shellcheck disable=SC1091
. /etc/daytona-edge/certificate/env
set +a
systemd-analyze verify --man=no \
  /etc/systemd/system/daytona-certificate@.service \
  /etc/systemd/system/daytona-certificate.timer
exec node /usr/local/lib/daytona-edge/certificate.cjs issue --check
