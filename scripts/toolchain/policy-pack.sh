#!/bin/sh
# The policy pack as a program, for an engine that has no language host for
# Node.js: the SDK's own runner, in the pack's directory.
# usage: policy-pack.sh ENGINE_ADDRESS
set -eu
cd "$(dirname "$0")/../../policies"
exec ../node_modules/.bin/node ../node_modules/@pulumi/pulumi/cmd/run-policy-pack "$1" .
