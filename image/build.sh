#!/bin/sh
# Runs in the build stage and puts the contents of the image into /out. Anything in image/ready is used instead of being
# built: usernetes/ (compiled, with its npm packages), artifacts/ (as in a user's store), bin/ (further programs).
set -eu
ready=image/ready
user=usernetes
mkdir -p /out/bin

if [ -d $ready/usernetes ]; then
  mv $ready/usernetes /out/usernetes
else
  npm() { node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"; }
  npm ci
  node node_modules/typescript/bin/tsc -p tsconfig.json
  npm prune --omit=dev
  mkdir /out/usernetes
  mv bin build config dist node_modules package.json package-lock.json patches /out/usernetes/
fi
chmod -R a+rX /out/usernetes

if [ -d $ready/bin ]; then mv $ready/bin/* /out/bin/; fi

if [ -d $ready/artifacts ]; then
  mv $ready/artifacts /out/artifacts
else
  u7s() { node /out/usernetes/bin/u7s.js --progress plain "$@"; }
  u7s init-host --for-image --build-tools --preset default-crio --user $user
  u7s artifacts fetch --preset default-containerd
  u7s artifacts fetch --preset default-docker
  u7s artifacts fetch flannel netcheck fuse-overlayfs fuse-overlayfs-snapshotter conmon skopeo
  # Where upstream's CRI-O cannot be downloaded, it cannot be built either: it is not a Go module.
  u7s artifacts fetch crio || echo 'going on without CRI-O'
  mv /home/$user/.local/share/usernetes/artifacts /out/artifacts
  # Go's caches are gigabytes that would stay in the layer of this stage.
  rm -rf /home/$user/.cache
fi
# Process 1 of the container has to be on the PATH, whichever way it was obtained.
for init in /out/artifacts/docker-init/*/bin/docker-init; do cp "$init" /out/bin/docker-init; done
if command -v crio >/dev/null || [ -e /out/bin/crio ] || [ -e /out/artifacts/crio ]; then
  echo 'this image contains CRI-O: docker-compose --profile crio up -d starts a node with it, too'
else
  echo 'CRI-O is not available, so docker-compose.yml leaves out the node with CRI-O (profile crio)'
fi
