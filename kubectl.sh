#!/bin/sh
# kubectl, as the administrator of the cluster: ./kubectl.sh [--cluster NAME] ARGS…
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s kubectl "$@"
