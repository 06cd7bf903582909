/** The fixed text of `install.sh`. `@ASSIGNMENTS@` and `@TARGETS@` are filled in by `install-sh.ts`; `$\{` stands for `${`. */
export const INSTALL_TEMPLATE = String.raw`#!/bin/sh
# Downloads one released binary, checks it and installs it. Run with --help to see the options.
# All of it stands between two braces: a shell that was given only a part of this file runs none of it.
{
set -eu
LC_ALL=C
export LC_ALL

@ASSIGNMENTS@

usage() {
  cat <<USAGE
Installs $PROJECT.

  --version VERSION   this release (default: the newest stable one)
  --dir FOLDER        install here (default: ~/.local/bin, or /usr/local/bin for root)
  --base ADDRESS      take it from here: http://, https://, file:// or a folder
                      (default: $DEFAULT_BASE)
  --target TARGET     for another machine than this one
  --require-signature stop when the signature cannot be checked here
  --allow-unsigned    accept a release that carries no signature
  --dry-run           say what would be done, and change nothing
  --help              this text

Environment: PITLANE_VERSION, PITLANE_DIR, PITLANE_BASE and PITLANE_TARGET do the same.
The SHA-256 is always checked; the signature when minisign or OpenSSL 3 is installed.
Exit status: 0 done, 1 failed (nothing was installed), 2 not understood.
USAGE
}

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
misuse() { printf 'install.sh: %s; try --help\n' "$*" >&2; exit 2; }
has() { command -v "$1" >/dev/null 2>&1; }

# Prints $1 with its %XX sequences decoded.
decode() {
  rest=$1 decoded=
  while :; do
    case $rest in
      *%[0-9A-Fa-f][0-9A-Fa-f]*)
        before=$\{rest%%\%[0-9A-Fa-f][0-9A-Fa-f]*}
        rest=$\{rest#"$before"%}
        after=$\{rest#??}
        decoded=$decoded$before$(printf "\\$(printf '%03o' "0x$\{rest%"$after"}")")
        rest=$after
        ;;
      *) break ;;
    esac
  done
  printf '%s' "$decoded$rest"
}

# fetch KEY FILE: copies one file of the bucket; fails when it is not there.
fetch() {
  if [ -n "$folder" ]; then
    if [ -f "$folder/$1" ]; then cp "$folder/$1" "$2"; else return 1; fi
    return
  fi
  url=$base/$(printf '%s' "$1" | sed 's/+/%2B/g')
  if has curl; then
    case $base in
      https://*) curl -fsSL --proto '=https' --connect-timeout 30 --retry 2 -o "$2" "$url" ;;
      *) curl -fsSL --proto '=http,https' --connect-timeout 30 --retry 2 -o "$2" "$url" ;;
    esac
  else
    wget -q -O "$2" "$url"
  fi
}

where() { if [ -n "$folder" ]; then printf '%s' "$folder/$1"; else printf '%s' "$base/$1"; fi; }

userland_is_32_bit() {
  bits=$(getconf LONG_BIT 2>/dev/null) || bits=
  case $bits in
    32) return 0 ;;
    64) return 1 ;;
  esac
  # The fifth byte of an ELF file is its class: 1 is 32 bit, 2 is 64 bit.
  class=$(od -An -tx1 -j4 -N1 /bin/sh 2>/dev/null | tr -d ' \n') || class=
  [ "$class" = 01 ]
}

find_target() {
  system=$(uname -s) || fail 'uname does not say which system this is'
  [ "$system" = Linux ] || fail "there are binaries for Linux only, and this is $system"
  machine=$(uname -m) || fail 'uname does not say which processor this is'
  case $machine in
@TARGETS@
    *) fail "there is no binary for a machine that calls itself $machine" ;;
  esac
}

# Prints the SHA-256 of file $1 in hexadecimal digits.
digest_of() {
  if has sha256sum; then
    digest=$(sha256sum <"$1")
  elif has shasum; then
    digest=$(shasum -a 256 <"$1")
  elif has openssl; then
    digest=$(openssl dgst -sha256 -r <"$1")
  elif has busybox; then
    digest=$(busybox sha256sum <"$1")
  else
    fail 'the digest cannot be checked: install sha256sum, shasum, openssl or busybox'
  fi
  printf '%s' "$\{digest%% *}"
}

is_digest() {
  case $1 in *[!0-9a-f]*) return 1 ;; esac
  [ "$\{#1}" -eq 64 ]
}

# Fetches the signature $1 as $2; it has to be there when the project signs.
fetch_signature() {
  fetch "$RELEASES/$version/$1" "$work/$2" 2>/dev/null && return
  [ "$unsigned" = yes ] && { signature='none; accepted because of --allow-unsigned'; return 1; }
  fail "$(where "$RELEASES/$version/$1") cannot be fetched, so the signature of $version cannot be checked (--allow-unsigned accepts that)"
}

# Either the list itself is signed as the one of this version, or proven is the signed document that check_document reads.
check_signature() {
  proven=''
  if [ -z "$MINISIGN_KEY" ]; then
    signature='none: this project does not sign its releases'
    [ "$required" = yes ] && fail 'this project does not sign its releases'
    return 0
  fi
  if has minisign; then
    fetch_signature "$sums.minisig" SHA256SUMS.minisig || return 0
    comment=$(minisign -V -Q -m "$work/SHA256SUMS" -x "$work/SHA256SUMS.minisig" -P "$MINISIGN_KEY" 2>"$work/report") ||
      fail "the signature of $version is wrong: $(cat "$work/report")"
    # The signed comment says which list this is: the true list of an older version is refused too.
    case $comment in
      *" $PROJECT $version file:$RELEASES/$version/$sums") ;;
      *) fail "the signature of $version is for something else: $comment" ;;
    esac
    signature="good, key $KEY_ID (checked with minisign)"
  elif has openssl && openssl pkeyutl -help 2>&1 | grep -q rawin; then
    # A plain signature names nothing, and neither does the list: only the document says which version it is of.
    fetch_signature "$document.sig" release.json.sig || return 0
    fetch "$RELEASES/$version/$document" "$work/release.json" || fail "cannot fetch $(where "$RELEASES/$version/$document")"
    printf '%s\n' "$PEM_KEY" >"$work/key.pem"
    openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/release.json" -sigfile "$work/release.json.sig" >"$work/report" 2>&1 ||
      fail "the signature of $version is wrong: $(cat "$work/report")"
    proven=$work/release.json
    signature="good, key $KEY_ID (checked with openssl)"
  else
    [ "$required" = yes ] && fail 'the signature cannot be checked: install minisign or OpenSSL 3'
    signature='not checked: neither minisign nor OpenSSL 3 is installed'
  fi
}

# Reads the signed document: it has to be the one of this version, and to list object $1 with the SHA-256 $2. It is JSON with a line for each
# value, as Pitlane writes it; a line break in a text is written as \n, so that no text can look like another value.
check_document() {
  number=0 part='' object='' digest='' listed=0 found_revision=1
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case $number in
      1) wanted='{' ;;
      2) wanted='  "format": "pitlane-release/1",' ;;
      3) wanted="  \"name\": \"$PROJECT\"," ;;
      4) wanted="  \"version\": \"$version\"," ;;
      *) wanted=$line ;;
    esac
    [ "$line" = "$wanted" ] || fail "the signature of $version is for something else: $line, expected $wanted"
    case $line in
      '  "files": [') part=files ;;
      '  "byHand": {') part=byHand ;;
      '  "'* | '  ]'* | '  }'*) part='' ;;
    esac
    case $part:$line in
      files:'    {') object='' ;;
      files:'      "path": "'*)
        object=$\{line#'      "path": "'}
        object=$\{object%'",'}
        ;;
      files:'      "sha256": "'*)
        if [ "$object" = "$1" ]; then
          listed=$((listed + 1))
          digest=$\{line#'      "sha256": "'}
          digest=$\{digest%'",'}
        fi
        ;;
      byHand:'    "revision": '*)
        found_revision=$\{line#'    "revision": '}
        found_revision=$\{found_revision%,}
        ;;
    esac
  done <"$proven"
  [ "$number" -gt 4 ] || fail "the signature of $version is for something else: $document is no release document"
  [ "$found_revision" = "$revision" ] || fail "the signature of $version is for something else: revision $found_revision, expected $revision"
  [ "$listed" = 1 ] && is_digest "$digest" || fail "the signed $document of $version does not list $1"
  [ "$digest" = "$2" ] || fail "$sums of $version is not as it was signed: $document lists another SHA-256 for $1"
}

# Sets file and expected from the line of SHA256SUMS that lies in the target's folder.
find_file() {
  file='' expected='' others=''
  while read -r digest path || [ -n "$digest" ]; do
    path=$\{path#\*}
    case $path in
      */*/*) ;;
      "$target"/*) [ -n "$file" ] || { file=$\{path#*/}; expected=$digest; } ;;
      */*) others="$others $\{path%%/*}" ;;
    esac
  done <"$work/SHA256SUMS"
  [ -n "$file" ] || fail "$version has no binary for $target; it has:$\{others:- none}"
  case $file in
    [!A-Za-z0-9_]* | *[!A-Za-z0-9._+-]*) fail "the list of $version names a file that cannot be installed" ;;
  esac
  is_digest "$expected" || fail "the list of $version has no SHA-256 for $file"
}

# Says why version $1 was withdrawn; fails for any other.
withdrawn() {
  case $1 in
@WITHDRAWN@
    *) return 1 ;;
  esac
}

# Says of version $1 how it came here when that was not by a release; fails for any other.
adopted() {
  case $1 in
@ADOPTED@
    *) return 1 ;;
  esac
}

# Whether nobody knows the digests of the files of version $1.
undigested() {
  case $1 in
@UNDIGESTED@
    *) return 1 ;;
  esac
}

main() {
  version=$\{PITLANE_VERSION-} dir=$\{PITLANE_DIR-} base=$\{PITLANE_BASE-} target=$\{PITLANE_TARGET-}
  dry=no required=no unsigned=no work='' folder=''
  while [ $# -gt 0 ]; do
    case $1 in
      --version | --dir | --base | --target)
        [ $# -ge 2 ] || misuse "$1 needs a value"
        option=$1 value=$2
        shift
        ;;
      --version=* | --dir=* | --base=* | --target=*) option=$\{1%%=*} value=$\{1#*=} ;;
      --dry-run) dry=yes option='' ;;
      --require-signature) required=yes option='' ;;
      --allow-unsigned) unsigned=yes option='' ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) misuse "unknown option $1" ;;
    esac
    case $option in
      --version) version=$value ;;
      --dir) dir=$value ;;
      --base) base=$value ;;
      --target) target=$value ;;
    esac
    shift
  done

  base=$\{base:-$DEFAULT_BASE}
  while [ "$base" != "$\{base%/}" ]; do base=$\{base%/}; done
  case $base in
    http://* | https://*) has curl || has wget || fail 'install curl or wget first' ;;
    file:///*) folder=$(decode "$\{base#file://}") ;;
    /*) folder=$base ;;
    *) misuse "--base is http://, https://, file:// or the full path of a folder, not '$base'" ;;
  esac
  if [ -z "$dir" ]; then
    if [ "$(id -u)" = 0 ]; then dir=/usr/local/bin; else dir=$\{HOME:?is not set: use --dir}/.local/bin; fi
  fi
  case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
  [ -n "$target" ] || find_target
  case $target in *[!A-Za-z0-9._-]*) misuse "'$target' is not the name of a target" ;; esac

  trap 'rm -rf "$work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # In the folder of the binary, because only a move within one file system is atomic.
  if [ "$dry" = yes ]; then
    work=$(mktemp -d) || fail 'cannot make a temporary folder'
  else
    mkdir -p "$dir" || fail "cannot make the folder $dir"
    work=$(mktemp -d "$dir/.install.XXXXXX") || fail "cannot write into $dir; use --dir to install somewhere else"
  fi

  named=yes
  if [ -z "$version" ]; then
    named=no
    fetch "$RELEASES/latest" "$work/latest" || fail "cannot fetch $(where "$RELEASES/latest"): no connection, no releases at that address, or none that is stable yet; --version names another one"
    read -r version <"$work/latest" || :
    [ -n "$version" ] || fail 'there is no stable release at present: what there was is withdrawn; --version names another one'
  fi
  case $version in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]*) fail "'$version' is not the name of a version" ;;
  esac
  if why=$(withdrawn "$version"); then
    [ "$named" = yes ] || fail "$version is not installed. $why"
    printf 'install.sh: warning: %s: %s\n' "$version" "$why" >&2
  fi
  if undigested "$version"; then
    fail "$version is not installed: the digests of its files are unknown, so that a download cannot be checked. To fetch one by hand: $(where "$RELEASES.html")"
  fi
  if how=$(adopted "$version"); then printf 'install.sh: note: %s: %s\n' "$version" "$how" >&2; fi
@REVISIONS@
  fetch "$RELEASES/$version/$sums" "$work/SHA256SUMS" ||
    fail "cannot fetch $(where "$RELEASES/$version/$sums"): there is no release $version, or no connection"
  check_signature
  find_file
  key=$RELEASES/$version/$target/$file
  [ -z "$proven" ] || check_document "$key" "$expected"
  say "$PROJECT $version for $target"
  say "  from       $(where "$key")"
  say "  to         $dir/$file"
  say "  sha256     $expected"
  say "  signature  $signature"
  if [ "$dry" = yes ]; then
    say 'Dry run: nothing was changed.'
    return 0
  fi

  fetch "$key" "$work/$file" || fail "cannot fetch $(where "$key")"
  found=$(digest_of "$work/$file")
  is_digest "$found" || fail 'the digest of the download cannot be computed'
  [ "$found" = "$expected" ] ||
    fail "the download is not what $version lists, and was thrown away: its SHA-256 is $found, expected $expected"
  [ ! -d "$dir/$file" ] || fail "$dir/$file is a folder"
  chmod 755 "$work/$file"
  mv -f "$work/$file" "$dir/$file" || fail "cannot write $dir/$file"
  say "Installed $dir/$file"
  case :$\{PATH-}: in
    *:"$dir":*) ;;
    *) say "Note: $dir is not in your PATH." ;;
  esac
}

main "$@"
exit 0
}
`.replaceAll('$\\{', '${')
