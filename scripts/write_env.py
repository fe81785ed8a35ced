"""Write a .env with new secrets, once; an existing one is never touched."""

from __future__ import annotations

import secrets
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / ".env"
TEXT = """\
# Written by `make setup`. README.md, "To production", says what to change for a real server.
SECRET_KEY={secret}
SALT_KEY={salt}
DEBUG=false
# The demo listens on this machine only, without TLS.
HTTPS_ONLY=false
DEMO=true
"""

if not TARGET.exists():
    TARGET.touch(mode=0o600)
    TARGET.write_text(TEXT.format(secret=secrets.token_urlsafe(48), salt=secrets.token_urlsafe(32)))
    print("Wrote .env with new secret keys.")
