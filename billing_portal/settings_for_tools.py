"""Settings for what serves nobody: the tests, the type checker, the collecting of sentences.

They need no `.env`, and a developer's own one does not change what they find.
"""

import os

for name, value in {
    # Also in the processes that a test starts.
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "for tools and tests only, which keep nothing: long enough for every check",
    "SALT_KEY": "for tools and tests only",
    "DEBUG": "false",
    "DEMO": "false",
    # The browser tests ask a server of their own, without TLS.
    "HTTPS_ONLY": "false",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "BOOKS_ANCHORS": "",
    "BASE_URL": "http://127.0.0.1:8000",
}.items():
    os.environ.setdefault(name, value)

from billing_portal.settings import *  # noqa: E402, F403
from billing_portal.settings import DATABASES  # noqa: E402

# What a killed process left behind is still there; only a power cut would lose it, and no disk is
# waited for.
_options = DATABASES["default"].setdefault("OPTIONS", {})
if "init_command" in _options:
    _options["init_command"] = _options["init_command"].replace("NORMAL", "OFF")
else:
    _options["options"] = "-c synchronous_commit=off"
