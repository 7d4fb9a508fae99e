# shellcheck shell=sh
# What a process sees of its network, as lines of key, tab and value. Reads only.
# Runs on a server, in a runner and in sandboxes of any image, so it takes what is
# there: a POSIX shell, and curl, getent and ping where they are.
# usage: reach.sh SCOPE NAME ADDRESS
scope=$1 name=$2 address=$3

say() {
  printf '%s.%s\t%s\n' "$scope" "$1" "$2"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# Of one that hangs, the exit status is timeout's or curl's own.
within() {
  if has timeout; then timeout "$@"; else shift && "$@"; fi
}

# What containers send leaves a server by IPv4, whatever else the server has.
case $scope in sandbox) family= ;; *) family=--ipv4 ;; esac

# usage: fetch KEY CURL-ARGUMENT…; its status is curl's
fetch() {
  key=$1
  shift
  # shellcheck disable=SC2086 # an option, or none
  times=$(curl $family -s -k -o /dev/null -m 6 -w '%{time_connect} %{time_appconnect} %{http_code}' "$@" 2>/dev/null)
  code=$?
  say "$key" "$code $times"
  return "$code"
}

# The answer to a large packet may change what the kernel sends from then on, so
# none is sent where TLS works, and none before that was tried.
pings() {
  has ping || return 0
  for size in 1472 1272; do
    (
      within 4 ping -c 1 -W 2 -M "do" -s "$size" "$address" >/dev/null 2>&1
      say ping "$((size + 28)) $?"
    ) &
  done
  wait
}

probes() {
  (
    found=$(within 6 getent ahostsv4 "$name" 2>/dev/null | { read -r first _ && echo "$first"; })
    say lookup "$([ -n "$found" ] && echo 0 || echo 2) $found"
  ) &
  if has curl; then
    (fetch by-address --noproxy '*' --resolve "$name:443:$address" "https://$name/" || pings) &
    # Of a handshake that hangs curl 8 does not say that TCP stood.
    fetch tcp --noproxy '*' "http://$address:443/" &
    fetch by-name --noproxy '*' "https://$name/" &
    fetch as-configured "https://$name/" &
  else
    say no-curl yes
  fi
  wait
}

# A proxy's address may hold a password.
proxies() {
  env | while IFS='=' read -r variable value; do
    case $variable in
      [Hh][Tt][Tt][Pp]_[Pp][Rr][Oo][Xx][Yy] | [Hh][Tt][Tt][Pp][Ss]_[Pp][Rr][Oo][Xx][Yy] | [Aa][Ll][Ll]_[Pp][Rr][Oo][Xx][Yy])
        [ -z "$value" ] || say proxy "$variable=${value##*@}" ;;
    esac
  done
}

{
  read -r _
  while read -r interface to gateway _ _ _ _ mask _; do
    say route "$interface $to $gateway $mask"
  done
} </proc/net/route
while read -r line || [ -n "$line" ]; do say resolv "$line"; done </etc/resolv.conf
for link in /sys/class/net/*; do
  [ ! -r "$link/mtu" ] || say link "${link##*/} $(cat "$link/mtu")"
done
proxies
probes
