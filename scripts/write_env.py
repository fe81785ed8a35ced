"""Write a .env with new secrets, once; an existing one is never touched.

For a real portal it holds nothing else: everything left out is safe. `--demo` adds what `make run`
needs, which listens on this machine only.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / ".env"
SECRETS = """\
# Written by `make {target}`. README.md, "To production", says what a real server needs besides.
SECRET_KEY={secret}
SALT_KEY={salt}
BOOKS_KEYS={books}
"""
DEMO = """\
# The demo listens on this machine only, without TLS. Never on a real server:
DEMO=true
HTTPS_ONLY=false
"""

demo = "--demo" in sys.argv[1:]
if not TARGET.exists():
    TARGET.touch(mode=0o600)
    text = SECRETS.format(
        target="run" if demo else "setup",
        secret=secrets.token_urlsafe(48),
        salt=secrets.token_urlsafe(32),
        books=secrets.token_urlsafe(36),
    )
    TARGET.write_text(text + (DEMO if demo else ""))
    print("Wrote .env with new secret keys.")
