#!/bin/sh
# Makes a sandbox trust the authority that the egress gateway signs inspected
# hosts with. In the sandbox, as root:
#   curl -fsS http://169.254.20.1/install-ca.sh | sh
# Safe to run again; a renewed authority replaces the old one.
set -eu
gateway=http://169.254.20.1

fetch() {
  if command -v curl >/dev/null; then
    curl -fsS --max-time 10 "$1"
  elif command -v wget >/dev/null; then
    wget -qO- -T 10 "$1"
  else
    echo "install-ca.sh: neither curl nor wget is here to get $1" >&2
    return 1
  fi
}

certificate=$(fetch "$gateway/ca.pem")
case $certificate in
  *"BEGIN CERTIFICATE"*) ;;
  *)
    echo "the gateway inspects no host: nothing to trust"
    exit 0
    ;;
esac

# Debian and Ubuntu and Alpine; then Fedora and its relatives.
if command -v update-ca-certificates >/dev/null; then
  store=/usr/local/share/ca-certificates/daytona-egress.crt
  update="update-ca-certificates"
elif command -v update-ca-trust >/dev/null; then
  store=/etc/pki/ca-trust/source/anchors/daytona-egress.crt
  update="update-ca-trust"
else
  store=/usr/local/share/ca-certificates/daytona-egress.crt
  update=:
fi
mkdir -p "$(dirname "$store")"
printf '%s\n' "$certificate" >"$store"
if ! said=$($update 2>&1); then
  echo "install-ca.sh: $update failed: $said" >&2
  exit 1
fi

# Without any bundle there are no other authorities to trust beside ours.
bundle=$store
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ ! -e "$file" ] || bundle=$file
done
mkdir -p /etc/profile.d
cat >/etc/profile.d/daytona-egress.sh <<EOF
export CURL_CA_BUNDLE=$bundle
export DENO_CERT=$store
export GIT_SSL_CAINFO=$bundle
export NODE_EXTRA_CA_CERTS=$store
export REQUESTS_CA_BUNDLE=$bundle
export SSL_CERT_FILE=$bundle
EOF
echo "trusts the egress gateway's authority: $store"
