# shellcheck shell=sh
# The packet filter of one network namespace, as lines of key, tab and value. Reads
# only: iptables-save names no table, so that it loads no module and makes none.
# usage: rules.sh SCOPE
scope=$1

say() {
  printf '%s.%s\t%s\n' "$scope" "$1" "$2"
}

# Prints a save's lines that are about forwarding, with their table before.
about_forwarding() {
  while read -r line; do
    case $line in
      \**) table=${line#?} ;;
      :FORWARD* | *' FORWARD '* | *DOCKER-USER* | *DAYTONA-SB* | *MASQUERADE* | *SNAT* | :DOCKER*)
        say "$1" "$table: $line" ;;
    esac
  done | head -n 400
}

say forwarding "$(cat /proc/sys/net/ipv4/ip_forward)"
used=$(iptables -V 2>/dev/null)
say iptables "$used"
if error=$(iptables-save 2>&1 >/dev/null); then
  iptables-save 2>/dev/null | about_forwarding rule
else
  say rules-error "$(printf '%s' "$error" | head -n 1)"
fi
case $used in
  *nf_tables*) other=legacy ;;
  *) other=nft ;;
esac
if command -v "iptables-$other-save" >/dev/null 2>&1; then
  "iptables-$other-save" 2>/dev/null | about_forwarding other-rule
fi
if command -v nft >/dev/null 2>&1; then
  nft list chains 2>/dev/null | while read -r first second third rest; do
    case $first in
      table) table="$second $third" ;;
      chain) chain=$second ;;
      # A base chain's line: type filter hook forward priority 0; policy drop;
      type)
        case "$third $rest" in
          'hook forward '*'policy drop'*) say forward-chain "$table $chain drop" ;;
          'hook forward '*) say forward-chain "$table $chain accept" ;;
        esac ;;
    esac
  done
fi
