#!/usr/bin/env bash
# Install what the lock files named after $1, an environment, list: exactly those, and only if their
# hashes are right. Nothing is built here, for a build would fetch tools that no lock names.
set -eu
venv=$1
shift
files=()
for file in "$@"; do files+=(-r "$file"); done
exactly=(--require-hashes --only-binary :all: "${files[@]}")
if [ -x "$venv/bin/uv" ]; then
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" "${exactly[@]}" && exit 0
  # uv does not read pip's settings, where a house names its own index or certificates.
  echo "uv could not install them; trying with pip…" >&2
fi
exec "$venv/bin/python" -m pip install -qq --disable-pip-version-check "${exactly[@]}"
