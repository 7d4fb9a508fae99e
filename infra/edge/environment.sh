#!/bin/sh
# Prints the edge's environment as HAProxy's own lines: a reload takes over what
# has changed, where the environment of a running process stays what it was.
set -eu
echo global
env | sed -n "s/^\(EDGE_[A-Z_]*\)=\(.*\)\$/  setenv \1 '\2'/p"
