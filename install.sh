#!/bin/sh
# Installs a bundle of Usernetes for you alone; see --help.
set -eu

usage() {
  cat <<'TEXT'
Usage: install.sh [--sha256 SUM] URL|FILE
       install.sh --rollback
       install.sh --uninstall

Installs a bundle of Usernetes for your own account, never as root:
  ~/.local/share/usernetes-VERSION   the bundle
  ~/.local/share/usernetes-current   a link to the version in use
  ~/.local/bin/u7s                   a link to its command

  --sha256 SUM   the archive's sum; without it, the one in URL.sha256 or FILE.sha256, which has to be there
  --rollback     back to the version that was in use before
  --uninstall    remove every version; the clusters and their data stay

Clusters that run keep running, on the version that they were started with. $XDG_DATA_HOME replaces ~/.local/share.

Examples:
  sh install.sh https://example.com/usernetes-x86_64.tbz
  sh install.sh --sha256 0123… ./usernetes-x86_64.tar.gz
TEXT
}

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  fix: %s\n' "$@" >&2
  exit 1
}

data=${XDG_DATA_HOME:-$HOME/.local/share}
current="$data/usernetes-current"
previous="$data/usernetes-previous"
bin="$HOME/.local/bin"

# Replaces a link in one step.
link() {
  ln -sfn "$1" "$2.new"
  mv -Tf "$2.new" "$2"
}

is_ours() {
  case $(readlink "$bin/u7s" 2>/dev/null) in
    "$current"/*) return 0 ;;
  esac
  return 1
}

in_use() {
  printf '%s/' "$1" | grep -aqsF -f - /proc/[0-9]*/cmdline
}

# $1: URL or file, $2: target
fetch() {
  case $1 in
    http://* | https://* | file://*)
      if command -v curl >/dev/null; then
        curl -fsSL --connect-timeout 15 --retry 2 -o "$2" "$1"
      elif command -v wget >/dev/null; then
        wget -q -T 15 -t 3 -O "$2" "$1"
      else
        fail 'there is neither curl nor wget' 'install one of them, or download the file yourself and give its path'
      fi
      ;;
    *) cp -- "$1" "$2" ;;
  esac
}

decompressor() {
  case $(od -An -tx1 -N4 "$1" | tr -d ' \n') in
    425a68*) echo bzip2 ;;
    1f8b*) echo gzip ;;
    28b52ffd) echo zstd ;;
    *) echo cat ;;
  esac
}

uninstall() {
  # All or nothing: no version is removed while a cluster runs from one.
  for folder in "$data"/usernetes-[0-9]*; do
    if [ -e "$folder/SHA256SUMS" ] && in_use "$folder"; then
      fail "a cluster still runs from $folder" "stop it: $folder/bin/u7s down" 'then uninstall again'
    fi
  done
  removed=
  if is_ours; then
    rm -f "$bin/u7s"
    removed=1
  fi
  for folder in "$data"/usernetes-[0-9]*; do
    [ -e "$folder/SHA256SUMS" ] || continue
    rm -rf "$folder"
    echo "removed $folder"
    removed=1
  done
  rm -f "$current" "$previous"
  [ -n "$removed" ] || echo 'nothing is installed'
  for kept in "$data/usernetes" "${XDG_STATE_HOME:-$HOME/.local/state}/usernetes"; do
    [ ! -d "$kept" ] || echo "kept: $kept (of your clusters; u7s cleanup removes a cluster's)"
  done
}

rollback() {
  [ -L "$previous" ] || fail 'there is no version before this one'
  to=$(readlink "$previous")
  [ -d "$to" ] || fail "$to, the version before, is gone"
  from=$(readlink "$current")
  link "$to" "$current"
  link "$from" "$previous"
  echo "back to ${to##*/usernetes-} from ${from##*/usernetes-}"
}

# Root's umask, and files that an account cannot change, are no help to an account.
[ "$(id -u)" -ne 0 ] || [ "${1:-}" = --help ] || fail 'it installs for an ordinary account, not for root' 'run it as the user who is to run clusters'

sum=
source=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --uninstall) uninstall; exit 0 ;;
    --rollback) rollback; exit 0 ;;
    --sha256)
      [ $# -ge 2 ] || fail '--sha256 takes a sum'
      sum=$2
      shift
      ;;
    -*) fail "$1 is no option of install.sh" 'see install.sh --help' ;;
    *) source=$1 ;;
  esac
  shift
done
[ -n "$source" ] || { usage >&2; exit 2; }

mkdir -p "$data" "$bin"
staging=$(mktemp -d "$data/.usernetes-XXXXXX")
trap 'rm -rf "$staging"' EXIT
trap 'exit 1' INT TERM HUP

fetch "$source" "$staging/archive" || fail "$source cannot be read"
if [ -z "$sum" ]; then
  (fetch "$source.sha256" "$staging/sum" && [ -s "$staging/sum" ]) 2>/dev/null ||
    fail "there is no $source.sha256 to check the archive by" 'give the sum: --sha256 SUM'
  sum=$(cut -d' ' -f1 "$staging/sum")
fi
printf '%s  %s\n' "$sum" "$staging/archive" | sha256sum -c >/dev/null 2>&1 ||
  fail "$source does not have the sum $sum" 'get it again; it may have been cut short, or replaced'

program=$(decompressor "$staging/archive")
command -v "$program" >/dev/null || fail "there is no $program, which the archive is compressed with" "install it: apt-get install $program"
[ "$program" = cat ] || set -- -dc
"$program" "$@" <"$staging/archive" | tar -xf - -C "$staging" || fail "$source cannot be unpacked"
unpacked="$staging/usernetes"
[ -x "$unpacked/bin/u7s" ] && [ -e "$unpacked/SHA256SUMS" ] || fail "$source is not a bundle of Usernetes"
(cd "$unpacked" && sha256sum -c --quiet SHA256SUMS >&2) || fail "$source is damaged inside"
version=$(sed -n 's/^  "version": "\([^"]*\)",$/\1/p' "$unpacked/package.json")
[ -n "$version" ] || fail "$source does not say its version"
"$unpacked/bin/u7s" --version >/dev/null || fail "$source does not run here"

# Of the same version there may be several builds; the same one is installed once.
name="$data/usernetes-$version"
if [ -e "$name" ] && ! cmp -s "$name/SHA256SUMS" "$unpacked/SHA256SUMS"; then
  name="$name-$(sha256sum <"$unpacked/SHA256SUMS" | cut -c1-8)"
fi
[ -e "$name" ] || mv "$unpacked" "$name"
before=$(readlink "$current" || true)
if [ -n "$before" ] && [ "$before" != "$name" ]; then
  link "$before" "$previous"
fi
link "$name" "$current"
link "$current/bin/u7s" "$bin/u7s"

# The version in use and the one before it stay, and those that clusters run from.
for folder in "$data"/usernetes-[0-9]*; do
  [ "$folder" != "$name" ] && [ "$folder" != "$(readlink "$previous" || true)" ] && [ -e "$folder/SHA256SUMS" ] || continue
  in_use "$folder" || rm -rf "$folder"
done

echo "installed Usernetes $version in $name"
case ":$PATH:" in
  *":$bin:"*) echo "start a cluster: u7s up" ;;
  *) echo "start a cluster: $bin/u7s up ($bin is not on your PATH)" ;;
esac
