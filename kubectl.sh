#!/bin/sh
# Runs kubectl as the cluster's administrator: ./kubectl.sh [--cluster NAME] ARGS…
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s kubectl "$@"
