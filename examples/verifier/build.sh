#!/bin/sh
# Builds the verifier for one target: TARGET=<triple> [VERSION=<version>] ./build.sh writes zig-out/<triple>/verifier.
# The same source, version and compiler give the same bytes, in whatever folder: nothing here asks for the time or a path.
set -eu
cd "$(dirname "$0")"

target=${TARGET:?set it to a triple such as x86_64-unknown-linux-musl}
version=${VERSION:-development}

# The processor each triple promises, and no newer one: Zig's own default for x86 would use SSE2.
case $target in
  x86_64-unknown-linux-musl) machine=x86_64 cpu=baseline ;;
  i686-unknown-linux-musl) machine=x86 cpu=i686 ;;
  aarch64-unknown-linux-musl) machine=aarch64 cpu=baseline ;;
  armv6l-unknown-linux-musleabihf) machine=arm cpu=arm1176jzf_s ;;
  *) echo "build.sh: unknown target $target" >&2; exit 2 ;;
esac
case $version in
  *[!A-Za-z0-9._+-]*) echo 'build.sh: VERSION may have letters, digits and ._+- only' >&2; exit 2 ;;
esac

out=zig-out/$target
rm -rf "$out"
mkdir -p "$out"
printf 'pub const version = "%s";\n' "$version" >"$out/build.zig"

# No libc at all (`none`): the program is static by construction.
./zig.sh build-exe --name verifier -femit-bin="$out/verifier" \
  -target "$machine-linux-none" -mcpu="$cpu" -O ReleaseSmall -fstrip -fsingle-threaded \
  --dep build -Mroot=src/main.zig -Mbuild="$out/build.zig"
