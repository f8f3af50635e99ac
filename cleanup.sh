#!/bin/sh
# Removes a cluster and all its data; see ./cleanup.sh --help.
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
u7s cleanup "$@"
