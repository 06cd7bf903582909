#!/bin/sh
# Makes test/fixtures again, with new keys, by the real minisign. The secret keys are thrown away.
set -eu
cd "$(dirname "$0")"
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

rm -rf fixtures
mkdir -p fixtures/release
cd fixtures
minisign -G -W -s "$keys/key" -p minisign.pub >/dev/null
minisign -G -W -s "$keys/other" -p other.pub >/dev/null

cd release
for target in aarch64-unknown-linux-musl x86_64-unknown-linux-musl; do
  mkdir "$target"
  printf '#!/bin/sh\necho tool for %s\n' "$target" >"$target/tool"
  (cd "$target" && sha256sum tool >tool.sha256)
done
printf '{ "name": "tool", "version": "v1.0.0" }\n' >release.json
sha256sum ./*/tool | sed 's|  \./|  |' >SHA256SUMS

ours() { echo "pitlane tool v1.0.0 file:_releases/v1.0.0/$1"; }
for file in SHA256SUMS release.json */tool; do
  minisign -S -s "$keys/key" -m "$file" -t "$(ours "$file")" >/dev/null
done
# Good signatures all three, and none of them enough.
minisign -S -s "$keys/key" -m SHA256SUMS -x ../no-pitlane-comment.minisig >/dev/null
minisign -S -l -s "$keys/key" -m SHA256SUMS -x ../not-prehashed.minisig -t "$(ours SHA256SUMS)" >/dev/null
minisign -S -s "$keys/other" -m SHA256SUMS -x ../other-key.minisig -t "$(ours SHA256SUMS)" >/dev/null
