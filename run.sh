#!/bin/sh
# Starts a cluster: ./run.sh [--init-host] [PRESET] [FLAGS…]; see ./run.sh --help.
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s up "$@"
