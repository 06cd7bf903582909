#!/bin/sh
# The documentation of one version: two pages and a style. RELEASES_PAGE and VERSION come from Pitlane.
set -eu
cd "$(dirname "$0")"
rm -rf public
mkdir public
for page in index.html checks.html; do
  sed -e "s|@VERSION@|$VERSION|g" -e "s|@RELEASES@|$RELEASES_PAGE|g" "$page" > "public/$page"
done
cp style.css public/
