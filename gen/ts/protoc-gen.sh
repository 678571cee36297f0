#!/bin/sh
# The plugin of buf.gen.ts.yaml: protoc-gen-es, then the registry of all files.
set -eu
cd "$(dirname "$0")"

# Standard output is the answer to buf, so npm must not write there.
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --silent >&2

request=$(mktemp)
trap 'rm -f "$request"' EXIT
cat > "$request"
# Two messages in a row are one with the files of both: that is how Protobuf merges.
node_modules/.bin/protoc-gen-es < "$request"
node protoc-gen-registry.js < "$request"
