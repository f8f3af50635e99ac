#!/bin/sh
# Publishes ports through RootlessKit: ./rootlessctl.sh add-ports 0.0.0.0:8080:80/tcp; see ./rootlessctl.sh --help.
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
exec "$node" "$root/bin/rootlessctl.js" "$@"
