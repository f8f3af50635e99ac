#!/bin/sh
# `docker run usernetes default-containerd -…` starts a cluster of that preset; other words are those of u7s.
set -eu
# Nothing runs yet in a container that has just started: what is in there is of the time before a restart.
rm -rf "${XDG_RUNTIME_DIR:?}"/* "${XDG_RUNTIME_DIR:?}"/.[!.]*
case ${1-} in
  '' | -* | default-*) exec u7s --progress plain up "$@" ;;
  *) exec u7s --progress plain "$@" ;;
esac
