#!/bin/sh
# Waits until Auto Scaling lets this machine go, drains it, and says so the
# moment that its last connection has ended: the machine goes then, and not
# when its lifecycle hook's time is over.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/completing-lifecycle-hooks.html
set -eu
# shellcheck disable=SC1091
. "$(dirname "$0")/imds.sh"

say() { echo "lifecycle: $*"; }

# usage: tell ACTION [PARAMETER=VALUE]
tell() {
  # The tag is there as soon as the machine belongs to the group.
  if ! answer=$(aws_curl autoscaling "$AWS_REGION" --max-time 10 \
    --data-urlencode "Action=$1" --data-urlencode "Version=2011-01-01" \
    --data-urlencode "LifecycleHookName=$LIFECYCLE_HOOK" \
    --data-urlencode "AutoScalingGroupName=$(imds_get tags/instance/aws:autoscaling:groupName)" \
    --data-urlencode "InstanceId=$(imds_get instance-id)" \
    --data-urlencode "${2:-LifecycleActionResult=CONTINUE}" \
    "https://autoscaling.$AWS_REGION.amazonaws.com/" 2>&1); then
    say "Auto Scaling did not take $1: $(echo "$answer" | tr '\n' ' ')"
    return 1
  fi
}

until [ "$(imds_get autoscaling/target-lifecycle-state 2>/dev/null)" = Terminated ]; do
  sleep 5
done
say "Auto Scaling lets this machine go: $DRAINED_UNIT drains"

began=$(date +%s)
beat=$began
systemctl stop "$DRAINED_UNIT" &
drain=$!
while kill -0 "$drain" 2>/dev/null; do
  sleep 1
  now=$(date +%s)
  [ $((now - beat)) -ge "$HEARTBEAT_SECONDS" ] || continue
  beat=$now
  # Without it the hook's time goes on; the next one may still be in time.
  if tell RecordLifecycleActionHeartbeat; then
    say "still draining after $((now - began)) s"
  fi
done
wait "$drain" || say "$DRAINED_UNIT did not stop as it should; its journal says why"
say "drained after $(($(date +%s) - began)) s"

# The state is told while the balancer still forgets this machine; the hook's
# action begins after that, and only then can be completed.
until tell CompleteLifecycleAction; do sleep 5; done
say "Auto Scaling may end this machine"
