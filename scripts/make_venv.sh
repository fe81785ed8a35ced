#!/usr/bin/env bash
# Make the virtual environment named in $1; on Debian that may take one package more.
set -eu
venv=$1
python=${PYTHON:-python3}
# One that works is kept, whoever made it.
"$venv/bin/python" -c 'import pip' 2>/dev/null && exit 0
command -v "$python" >/dev/null || { echo "No $python here: install Python 3.11 or newer." >&2; exit 1; }
"$python" - <<'CHECK' || { echo "The portal needs Python 3.11 or newer; $python is older." >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
CHECK
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Debian's python$version-venv…"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv" >/dev/null
  else
    echo "This Python cannot make virtual environments. Install it: sudo apt-get install python$version-venv" >&2
    exit 1
  fi
fi
exec "$python" -m venv --clear "$venv"
