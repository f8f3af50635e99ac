#!/bin/sh
# Runs docker against the cluster's dockerd: ./dockercli.sh [--cluster NAME] ARGS…
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s docker "$@"
