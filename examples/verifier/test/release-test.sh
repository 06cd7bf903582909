#!/bin/sh
# Tests the verifier as it will be published: BINARY=<file> [BINARY_SHA256=<hex>] ./test/release-test.sh
# It has to accept a release that the real minisign signed, and to refuse each spoiled copy of it.
# BINARY may be a script that starts the program under an emulator; BINARY_FILE may then name the program itself.
set -eu
cd "$(dirname "$0")/.."

: "${BINARY:?set it to the verifier to be tested}"
case $BINARY in */*) ;; *) BINARY=./$BINARY ;; esac
fixture=$PWD/test/fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() { printf 'release-test: %s\n' "$*" >&2; exit 1; }

# The bytes that are tested have to be the ones that will be published.
if [ -n "${BINARY_SHA256:-}" ]; then
  file=${BINARY_FILE:-$BINARY}
  if [ "$(head -c 2 "$file")" = '#!' ]; then
    echo "digest  not looked at: $file is a script that starts the program"
  else
    digest=$(sha256sum <"$file" | cut -d ' ' -f 1)
    [ "$digest" = "$BINARY_SHA256" ] || fail "$file is $digest, expected was $BINARY_SHA256"
    echo "digest  $digest"
  fi
fi

number=0
# expect NAME STATUS TEXT ARGUMENT...: the exit status, and a text that has to be said.
expect() {
  name=$1 status=$2 text=$3
  shift 3
  got=0
  "$BINARY" "$@" >"$work/said" 2>&1 || got=$?
  if [ "$got" != "$status" ] || ! grep -qF -e "$text" "$work/said"; then
    cat "$work/said" >&2
    fail "$name: exit status $got, expected $status and: $text"
  fi
  number=$((number + 1))
  echo "passed  $name"
}

# spoiled NAME TEXT COMMAND: in a fresh copy of the release, after COMMAND, the check has to fail and say TEXT.
spoiled() {
  rm -rf "$work/release"
  cp -R "$fixture/release" "$work/release"
  (cd "$work/release" && eval "$3")
  expect "$1" 1 "$2" --key "$fixture/minisign.pub" "$work/release"
}

key=$(sed -n 2p "$fixture/minisign.pub")
other=$(sed -n 2p "$fixture/other.pub")
tool=x86_64-unknown-linux-musl/tool

expect 'help' 0 'usage: verifier' --help
expect 'version' 0 "verifier ${VERSION:-}" --version
expect 'no folder named' 2 'try: verifier --help' --key "$key"
expect 'unknown option' 2 'unknown option' --frobnicate "$fixture/release"
expect 'no such folder' 2 'cannot open the folder' --key "$key" "$work/none"
expect 'no key' 2 'no public key in' --key "$fixture/release/SHA256SUMS" "$fixture/release"

expect 'a good release, key in a file' 0 'verified: 9 of 9' --key "$fixture/minisign.pub" "$fixture/release"
expect 'a good release, key as text' 0 'verified: 9 of 9' --key "$key" --release tool@v1.0.0 "$fixture/release"
expect 'another version' 1 'signed for tool v1.0.0, not for tool v1.0.1' --key "$key" --release tool@v1.0.1 "$fixture/release"
expect 'another key' 1 'signed with another key' --key "$other" "$fixture/release"

spoiled 'altered file' "BAD $tool  was altered" "echo >>$tool"
spoiled 'missing file' "BAD $tool  is missing" "rm $tool"
spoiled 'link instead of a file' "BAD $tool  is not a regular file" "mv $tool t; ln -s ../t $tool"
spoiled 'file too many' 'BAD extra  is not listed' 'echo >extra'
spoiled 'altered list' 'the signature does not fit the file' "sed -i.bak s/7/8/ SHA256SUMS"
spoiled 'no list' 'BAD SHA256SUMS  is missing' 'rm SHA256SUMS'
spoiled 'no signature' 'BAD SHA256SUMS.minisig  is missing' 'rm SHA256SUMS.minisig'
spoiled 'altered trusted comment' 'the trusted comment was altered' "sed -i.bak s/v1.0.0/v1.0.1/ SHA256SUMS.minisig"
spoiled 'cut signature' 'not a complete minisign signature' 'printf %s "$(cat SHA256SUMS.minisig)" >s && mv s SHA256SUMS.minisig'
spoiled 'signature of another file' 'the signature does not fit' 'cp release.json.minisig SHA256SUMS.minisig'
spoiled 'signature by another key' 'signed with another key' "cp '$fixture/other-key.minisig' SHA256SUMS.minisig"
spoiled 'signature for nothing' 'the trusted comment is not of the form' "cp '$fixture/no-pitlane-comment.minisig' SHA256SUMS.minisig"
spoiled 'old kind of signature' 'without prehashing' "cp '$fixture/not-prehashed.minisig' SHA256SUMS.minisig"
spoiled 'altered document' 'BAD release.json.minisig  the signature does not fit' 'echo >>release.json'
spoiled 'lying digest' "BAD $tool.sha256  is not the digest" "cp aarch64-unknown-linux-musl/tool.sha256 $tool.sha256"

echo "release test: $number passed"
