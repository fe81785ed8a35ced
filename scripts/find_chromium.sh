#!/usr/bin/env bash
# Make sure that a Chromium is here for the browser tests; say plainly when they will be skipped.
set -u
python=$1
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
"$python" - <<'CHECK' && exit 0
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as play:
    sys.exit(not pathlib.Path(play.chromium.executable_path).exists())
CHECK
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian's chromium for the browser tests…"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
else
  echo "Installing Playwright's chromium for the browser tests…"
  "$python" -m playwright install chromium && exit 0
fi
echo "No Chromium could be installed: the browser tests will be skipped." >&2
exit 0
