#!/usr/bin/env bash
# Prove that the lock files say what their .in files ask for, and that they install from nothing:
# with the uv that set-up brings, and with the oldest pip that a supported Debian has.
set -eu -o pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export UV_CACHE_DIR="$work/cache" PIP_NO_CACHE_DIR=1
python=${PYTHON:-python3}

scripts/make_venv.sh "$work/with-uv"
scripts/install.sh "$work/with-uv" requirements-installer.txt
uv="$work/with-uv/bin/uv"

cp requirements*.in requirements*.txt "$work/"
scripts/make_locks.sh "$work" "$uv"
for lock in requirements*.txt; do
  diff -u "$lock" "$work/$lock" || { echo "$lock is not what its .in file asks for: run make lock." >&2; exit 1; }
done

# One after the other, as set-up does it, with no way round by pip.
for lock in requirements.txt requirements-dev.txt; do
  "$uv" pip install --quiet --python "$work/with-uv/bin/python" --require-hashes --only-binary :all: -r $lock
done
"$uv" pip check --quiet --python "$work/with-uv/bin/python"

scripts/make_venv.sh "$work/with-pip"
pip=("$work/with-pip/bin/python" -m pip --disable-pip-version-check)
# Debian 12's. From Python 3.12 on it no longer runs: there the one that Python itself brings is the oldest.
if "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 12))'; then
  echo 'pip==23.0.1 --hash=sha256:236bcb61156d76c4b8a05821b988c7b8c35bf0da28a4b614e8d6ab5212c25c6f' >"$work/old-pip.txt"
  "${pip[@]}" install -qq --require-hashes -r "$work/old-pip.txt"
fi
for lock in requirements.txt requirements-dev.txt; do
  "${pip[@]}" install -qq --require-hashes --only-binary :all: --no-compile -r $lock
done
"${pip[@]}" check >/dev/null
echo "The lock files are true; uv and $("${pip[@]}" --version | cut -d' ' -f1,2) install them from nothing."
