#!/bin/sh
# RootlessKit's client, which publishes ports: ./rootlessctl.sh add-ports 0.0.0.0:8080:80/tcp; --help tells more.
root=$(dirname "$(readlink -f "$0")")
. "$root/bin/bootstrap.sh"
exec node "$root/bin/rootlessctl.js" "$@"
