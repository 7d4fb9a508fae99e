#!/bin/sh
# Makes a sandbox trust the authority that the egress gateway signs inspected
# hosts with. In the sandbox, as root:
#   curl -fsS http://gateway.internal/install-ca.sh | sh
# Needs curl or wget (BusyBox's will do). Safe to run again; a renewed authority
# replaces the old one.
set -eu

# Programs get no standard input: by a pipe that is the rest of this script.
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

# By address where the sandbox asks somebody else for names.
certificate=$(fetch http://gateway.internal/ca.pem 2>/dev/null || fetch http://169.254.20.1/ca.pem)
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
if [ "$(cat "$store" 2>/dev/null)" != "$certificate" ]; then
  printf '%s\n' "$certificate" >"$store"
  # Debian goes by this link, not by what a file holds: with it there, Java's
  # store and the links named by hash would keep the old authority.
  rm -f /etc/ssl/certs/daytona-egress.pem
fi
if ! said=$($update 2>&1 </dev/null); then
  echo "install-ca.sh: $update failed: $said" >&2
  exit 1
fi

# Without any bundle there are no other authorities to trust beside ours.
bundle=$store
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
  /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem; do
  [ ! -e "$file" ] || bundle=$file
done

# A JDK that brings a store of its own; a distribution's is a link to one that
# was made just now. "changeit" is the password that every JDK's has.
jdks() {
  for keytool in "$(command -v keytool)" "${JAVA_HOME:-/nowhere}/bin/keytool" \
    /usr/lib/jvm/*/bin/keytool /opt/java/*/bin/keytool; do
    if [ -x "$keytool" ]; then readlink -f "$keytool" | sed 's|/bin/keytool$||'; fi
  done
}
for home in $(jdks | sort -u); do
  for keystore in "$home/lib/security/cacerts" "$home/jre/lib/security/cacerts"; do
    if [ -L "$keystore" ] || [ ! -f "$keystore" ]; then continue; fi
    # Fails where there is none yet; of any other reason the import will tell.
    "$home/bin/keytool" -delete -alias daytona-egress \
      -keystore "$keystore" -storepass changeit >/dev/null 2>&1 </dev/null || true
    if ! said=$("$home/bin/keytool" -importcert -noprompt -alias daytona-egress \
      -file "$store" -keystore "$keystore" -storepass changeit 2>&1 </dev/null); then
      echo "install-ca.sh: keytool failed for $keystore: $said" >&2
      exit 1
    fi
  done
done

mkdir -p /etc/profile.d
cat >/etc/profile.d/daytona-egress.sh <<VARIABLES
export CURL_CA_BUNDLE=$bundle
export DENO_CERT=$store
export GIT_SSL_CAINFO=$bundle
export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=$bundle
export NODE_EXTRA_CA_CERTS=$store
export REQUESTS_CA_BUNDLE=$bundle
export SSL_CERT_FILE=$bundle
VARIABLES
echo "trusts the egress gateway's authority: $store"
