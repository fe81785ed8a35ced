#!/usr/bin/env bash
# Make sure that the browser tests find a Chromium and what drives it; say plainly when they will
# be skipped. $1 is the Python of the environment.
set -u
python=$1

debian() { # install Debian packages, when we may
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "Installing Debian's $* for the browser tests…"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

# Playwright's driver is a Node that needs libatomic, which a small Debian lacks.
if ! "$python" -m playwright --version >/dev/null 2>&1; then
  debian libatomic1
  if ! "$python" -m playwright --version >/dev/null 2>&1; then
    echo "Playwright does not run here (try the package libatomic1): the browser tests are skipped." >&2
    exit 0
  fi
fi

[ -x /usr/bin/chromium ] && exit 0
"$python" - <<'CHECK' && exit 0
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as play:
    sys.exit(not pathlib.Path(play.chromium.executable_path).exists())
CHECK
debian chromium && exit 0
echo "Installing Playwright's chromium for the browser tests…"
"$python" -m playwright install chromium && exit 0
echo "No Chromium could be installed: the browser tests are skipped." >&2
exit 0
