#!/bin/sh
# Takes the server's firewall away, which its unit leaves when it stops.
set -eu
nft delete table inet daytona_server
