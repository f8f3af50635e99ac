# Sourced by the wrappers with `root` set to the checkout. Makes sure that u7s is installed and compiled there, with one line
# on stderr for each step, and defines `u7s`. If everything is up to date, this takes milliseconds.

fail() {
  printf 'error: %s\n  fix: %s\n' "$1" "$2" >&2
  exit 1
}

packages_stale() {
  ! [ -e "$root/node_modules/.package-lock.json" ] ||
    [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]
}

build_stale() {
  ! [ -e "$root/dist/cli/main.js" ] ||
    [ -n "$(find "$root/src" "$root/tsconfig.json" -newer "$root/dist/cli/main.js" -print -quit)" ]
}

bootstrap() {
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js $(node --version) is too old" 'install Node.js 20.19 or newer'
  [ -w "$root" ] ||
    fail "u7s is not built in $root, or not from its present source, and you cannot write there" \
      "let its owner run: cd '$root' && npm ci && npm run build"
  cd "$root"
  if packages_stale; then
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
  exec node "$root/bin/u7s.js" "$@"
}

command -v node >/dev/null || fail 'there is no Node.js' 'install Node.js 20.19 or newer, with npm'
if packages_stale || build_stale; then
  # The checkout itself is the lock: the second of two finds the work done.
  (lock && bootstrap) 9<"$root" || exit 1
fi
