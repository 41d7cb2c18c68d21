#!/bin/sh
# Builds steppe:previous from an earlier commit of this repository: previous.sh COMMIT
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
git archive "$1" | tar -x -C "$work"
# The dependencies are this checkout's; the workspace's own packages are the commit's.
cp -al node_modules "$work/node_modules" 2>/dev/null || cp -R node_modules "$work/node_modules"
rm -rf "$work/node_modules/@steppe"
mkdir "$work/node_modules/@steppe"
for package in "$work"/packages/*/; do
  ln -s "../../packages/$(basename "$package")" "$work/node_modules/@steppe/$(basename "$package")"
done
(cd "$work" && node_modules/node/bin/node scripts/generate.js)
BASES=keep SOURCE="$work" sh deploy/local-base/build.sh previous
