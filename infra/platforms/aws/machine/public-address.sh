#!/bin/sh
# Takes one of the stack's public addresses for this machine, which is done only
# then: what needs the address starts after it. Two machines may want the same
# one at once; EC2 gives it to the first, and the other takes the next.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html
# usage: public-address.sh FILE, of lines "ALLOCATION ADDRESS"
set -eu
# shellcheck disable=SC1091
. "$(dirname "$0")/imds.sh"
addresses=$1
instance=$(imds_get instance-id)

say() { echo "public address: $*"; }

# The one of them that this machine has already.
held() {
  own=$(imds_get public-ipv4 2>/dev/null) &&
    awk -v own="$own" '$2 == own { print $2; found = 1 } END { exit !found }' "$addresses"
}

# usage: associate ALLOCATION
associate() {
  aws_curl ec2 "$AWS_REGION" --max-time 10 \
    --data-urlencode "Action=AssociateAddress" --data-urlencode "Version=2016-11-15" \
    --data-urlencode "AllocationId=$1" --data-urlencode "InstanceId=$instance" \
    --data-urlencode "AllowReassociation=false" \
    "https://ec2.$AWS_REGION.amazonaws.com/" 2>&1
}

# 0: one is ours; 1: all are others'; 2: EC2 said something else.
take_one() {
  while read -r allocation address; do
    if answer=$(associate "$allocation"); then
      say "this machine has $address"
      return 0
    fi
    case $answer in
      *Resource.AlreadyAssociated*) ;;
      *)
        say "EC2 did not give $address: $(echo "$answer" | tr '\n' ' ')"
        return 2
        ;;
    esac
  done <"$addresses"
  return 1
}

while :; do
  # Also when EC2's answer was lost: the old address is gone the moment that
  # the new one is there.
  if address=$(held); then
    say "this machine has $address"
    exit 0
  fi
  taken=0
  take_one || taken=$?
  case $taken in
    0) exit 0 ;;
    1) say "NONE IS FREE: all $(wc -l <"$addresses") belong to other machines. Nothing is served here until one is given back" ;;
  esac
  sleep 10
done
