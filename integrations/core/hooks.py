"""Calls of providers to us: who may call."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

# The norm's content is one flow: some hundred bytes.
LARGEST: Final = 64 * 1024


def secret_in(header: str) -> str:
    """Of an Authorization header: the token of Bearer, or the password of Basic; "" for none.

    A platform that only keeps an address writes https://portal:secret@… and sends Basic.
    """
    scheme, _gap, given = header.partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def is_secret(given: str, expected: str) -> bool:
    """Without telling by its time how much was right; nothing fits a secret that there is not."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
