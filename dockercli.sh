#!/bin/sh
# docker, against the dockerd of the cluster: ./dockercli.sh [--cluster NAME] ARGS…
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s docker "$@"
