#!/bin/sh
# In the image, as root: what init-host does to a host, as far as it lasts in an image, for a user of number 1000.
set -eu
user=usernetes
home=/home/$user
ln -sf ../lib/usernetes/bin/u7s.js /usr/local/bin/u7s
ln -sf ../lib/usernetes/bin/rootlessctl.js /usr/local/bin/rootlessctl

# Ubuntu's images have a user of that number, whom nobody needs.
if taken=$(getent passwd 1000); then userdel --remove "${taken%%:*}" 2>/dev/null; fi
u7s --progress plain init-host --for-image --no-build-tools --preset default-crio --user $user
[ "$(id -u $user)" = 1000 ]
rm -rf /var/lib/apt/lists/* /var/cache/dnf /var/cache/libdnf5

# A volume that is mounted here for the first time gets its owner and mode from these.
for folder in .local .local/share .local/share/usernetes .local/state join; do
  install -d -m 0700 -o $user -g $user $home/$folder
done
