#!/bin/sh
# Starts a cluster: ./run.sh [--init-host] [PRESET] [FLAGS…]; ./run.sh --help tells more.
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s up "$@"
