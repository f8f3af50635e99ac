#!/bin/sh
# Removes a cluster and everything of it; ./cleanup.sh --help tells more.
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s cleanup "$@"
