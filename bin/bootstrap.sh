# Sourced by the wrappers with `root` set to the checkout, or to a bundle. Makes sure that there is a Node.js, and that a
# checkout is installed and compiled, with one line on stderr for each step, and defines `u7s`. If everything is up to date,
# this takes milliseconds.

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  printf '  fix: %s\n' "$@" >&2
  exit 1
}

# A bundle and an npm package are compiled; only a checkout has the source.
is_checkout() {
  [ -d "$root/src" ]
}

packages_stale() {
  ! [ -e "$root/node_modules/.package-lock.json" ] ||
    [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]
}

build_stale() {
  ! [ -e "$root/dist/cli/main.js" ] ||
    [ -n "$(find "$root/src" "$root/tsconfig.json" -newer "$root/dist/cli/main.js" -print -quit)" ]
}

# Not by a script of Node's, which takes forty milliseconds.
is_new_enough() {
  has_version=$("$1" --version 2>/dev/null) || return 1
  major=${has_version#v}
  minor=${major#*.}
  major=${major%%.*}
  minor=${minor%%.*}
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}

# The pinned release, for this processor: `version`, `processor` as Node.js names it, `sum`.
read_lock() {
  case $(uname -m) in
    x86_64) wanted=amd64 ;;
    aarch64) wanted=arm64 ;;
    *) return 1 ;;
  esac
  while read -r version arch processor sum _; do
    [ "$arch" != "$wanted" ] || return 0
  done <"$root/config/node.lock"
  return 1
}

# $1: URL, $2: file
get() {
  if command -v curl >/dev/null; then
    curl -fsSL --proto '=https,http,file' --connect-timeout 10 --retry 2 -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q -T 10 -t 3 -O "$2" "$1"
  else
    return 1
  fi
}

# Downloads the pinned Node.js into the user's own data folder. U7S_NODE_MIRROR replaces https://nodejs.org/dist.
download_node() {
  echo "downloading Node.js $version, since there is none that is new enough" >&2
  mkdir -p "${pinned%/*}" || return 1
  staging=$(mktemp -d "${pinned%/*}/new-XXXXXX") || return 1
  archive="$staging/node.tar.gz"
  url="${U7S_NODE_MIRROR:-https://nodejs.org/dist}/v$version/node-v$version-linux-$processor.tar.gz"
  if ! get "$url" "$archive"; then
    rm -rf "$staging"
    echo "$url cannot be downloaded" >&2
    return 1
  fi
  if ! printf '%s  %s\n' "$sum" "$archive" | sha256sum -c >/dev/null 2>&1; then
    rm -rf "$staging"
    fail "$url is not what config/node.lock pins" 'see whether a proxy has replaced it' "install Node.js 20.19 or newer yourself"
  fi
  tar -xzf "$archive" -C "$staging" && rm -rf "$pinned" && mv "$staging/node-v$version-linux-$processor" "$pinned"
  found=$?
  rm -rf "$staging"
  return "$found"
}

no_node() {
  fail "$1" \
    "install Node.js 20.19 or newer: from your distribution, if it has one that is new enough, or https://nodejs.org/en/download" \
    "take a bundle of this program, which brings its own: docs/install.md" \
    "let this script download the pinned one, where https://nodejs.org can be reached and there is curl or wget"
}

# Sets `node`: a bundle's own, the host's, or the pinned one.
choose_node() {
  node="$root/node/bin/node"
  if [ -x "$node" ]; then
    is_new_enough "$node" ||
      fail "the bundle's own Node.js does not run here: $("$node" --version 2>&1 | head -n 1)" \
        'install libstdc++ (apt-get install libstdc++6; dnf install libstdc++); it needs glibc 2.28 or newer, too'
    return
  fi
  node=$(command -v node) && is_new_enough "$node" && return
  has=${node:+"Node.js ${has_version:-at $node} is too old"}
  read_lock || no_node "${has:-there is no Node.js}"
  pinned="${XDG_DATA_HOME:-$HOME/.local/share}/usernetes/node/$version"
  node="$pinned/bin/node"
  is_new_enough "$node" || (download_node) || no_node "${has:-there is no Node.js}"
  is_new_enough "$node" || no_node "the downloaded Node.js does not run here: $("$node" --version 2>&1 | head -n 1)"
  PATH="$pinned/bin:$PATH" # for npm
  export PATH
}

bootstrap() {
  [ -w "$root" ] ||
    fail "u7s is not built in $root, or not from its present source, and you cannot write there" \
      "let its owner run: cd '$root' && npm ci && npm run build"
  cd "$root"
  if packages_stale; then
    command -v npm >/dev/null || fail 'there is no npm, which a checkout is installed with' 'install it, with Node.js 20.19 or newer'
    echo 'installing the npm packages' >&2
    npm ci --loglevel=error >&2 || fail 'npm ci failed' "see above; then: cd '$root' && npm ci"
  fi
  if build_stale; then
    echo 'compiling' >&2
    npm run --silent build >&2 || {
      rm -f dist/cli/main.js # a failed build must not count as up to date
      fail 'the compilation failed' "see above; then: cd '$root' && npm run build"
    }
  fi
}

# Whoever can read the checkout can hold its lock. Nobody waits for that without being told, nor for ever.
lock() {
  flock -n 9 && return
  inode=$(stat -Lc %i "$root")
  pid=$(awk -v end=":$inode" '$2 == "FLOCK" && substr($6, length($6) - length(end) + 1) == end { print $5; exit }' /proc/locks)
  owner=$(stat -c %U "/proc/$pid" 2>/dev/null)
  echo "waiting for process ${pid:-of another namespace}${owner:+ of user $owner}, which has locked $root" >&2
  flock -w 120 9 || fail "$root has been locked for two minutes${pid:+ by process $pid}" "see what it does, or end it${pid:+: kill $pid}"
}

u7s() {
  exec "$node" "$root/bin/u7s.js" "$@"
}

choose_node
if is_checkout && { packages_stale || build_stale; }; then
  # The checkout itself is the lock: the second of two finds the work done.
  (lock && bootstrap) 9<"$root" || exit 1
fi
