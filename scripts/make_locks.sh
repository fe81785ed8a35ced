#!/usr/bin/env bash
# Write the lock files of the directory $1 from its .in files, each with every version and hash for
# every Python from 3.11 on. What is locked already stays, unless the rest says --upgrade.
# $2 is uv: the one of the environment.
set -eu
cd "$1"
uv=$2
shift 2
# The extras stay: without them, an older pip takes `coverage[toml]` for something unpinned.
for name in requirements-installer requirements requirements-dev; do
  "$uv" pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-strip-extras \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
    --output-file $name.txt "$@" $name.in
done
