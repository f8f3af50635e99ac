#!/bin/sh
# `docker run usernetes default-containerd -…` starts a cluster with that preset; other arguments are a u7s command.
set -eu
# In a container that has just started nothing runs yet, so these are leftovers from before a restart.
rm -rf "${XDG_RUNTIME_DIR:?}"/* "${XDG_RUNTIME_DIR:?}"/.[!.]*
case ${1-} in
  '' | -* | default-*) exec u7s --progress plain up "$@" ;;
  *) exec u7s --progress plain "$@" ;;
esac
