#!/bin/sh
# Runs in the image as root: those steps of init-host that last in an image, for a user with uid 1000.
set -eu
user=usernetes
home=/home/$user
ln -sf ../lib/usernetes/bin/u7s.js /usr/local/bin/u7s
ln -sf ../lib/usernetes/bin/rootlessctl.js /usr/local/bin/rootlessctl

# Ubuntu's images already have a user with that uid, which nobody needs.
if taken=$(getent passwd 1000); then userdel --remove "${taken%%:*}" 2>/dev/null; fi
u7s --progress plain init-host --for-image --no-build-tools --preset default-crio --user $user
[ "$(id -u $user)" = 1000 ]
rm -rf /var/lib/apt/lists/* /var/cache/dnf /var/cache/libdnf5

# A new volume takes its owner and mode from the folder it is mounted on.
for folder in .local .local/share .local/share/usernetes .local/state join; do
  install -d -m 0700 -o $user -g $user $home/$folder
done
