"""Seals: rows that the portal wrote, told from rows that somebody wrote into its database.

A seal is an HMAC-SHA256 over a row's columns, made with a key that the database does not hold. It
stands in the row itself, so it costs its writer no statement and no lock, and a row without its
right seal was changed, or was never the portal's. That no row is gone is said by the chain
(invoices/models/chain.py).

A seal is text: `version.key.nonce.mac.marks`. `key` names the key, so that what was sealed before a
rotation stays verifiable; `nonce` makes two rows of equal content differ, so that a copied row is
one too many; `marks` are sixteen bits per column, which prove nothing and name what was changed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from django.conf import settings

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode
# The same of what anybody may have written into the database: never an error.
_encode_any = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, default=repr
).encode
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Key(NamedTuple):
    # Eight hexadecimal digits, which tell nothing about the key.
    name: str
    secret: bytes


@lru_cache(maxsize=8)
def _derived(written: tuple[str, ...], secret_key: str) -> tuple[Key, ...]:
    # The last one is there without any setting. It stays when BOOKS_KEYS is set later, which is
    # then a rotation like any other.
    every = [*written, f"books of {secret_key}"]
    found = []
    for text in every:
        secret = hashlib.sha256(b"books\0" + text.encode()).digest()
        name = hashlib.sha256(b"name of a key of the books\0" + secret).hexdigest()[:8]
        found.append(Key(name, secret))
    return tuple(found)


def keys() -> tuple[Key, ...]:
    """The newest first: that one seals, the others only verify."""
    return _derived(tuple(settings.BOOKS_KEYS), settings.SECRET_KEY)


def key_named(name: str) -> Key | None:
    return next((key for key in keys() if key.name == name), None)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(secret: bytes, kind: str, version: str, nonce: str, values: Sequence[Any]) -> str:
    return _mac_of(secret, _encode([kind, version, nonce, *values]).encode()).decode()


def _mark(value: Any) -> bytes:
    said = _encode_any(value).encode(errors="surrogatepass")
    return (zlib.crc32(said) & 0xFFFF).to_bytes(2, "big")


def sealed(kind: str, version: str, values: Sequence[Any]) -> str:
    """The seal of these values: None, bool, int, str, and lists and mappings of them."""
    key, nonce = keys()[0], _text(os.urandom(6))
    mac = _mac(key.secret, kind, version, nonce, values)
    marks = _text(b"".join(map(_mark, values)))
    return f"{version}.{key.name}.{nonce}.{mac}.{marks}"


class Parts(NamedTuple):
    version: str
    key: str
    nonce: str
    mac: str
    marks: str


def parts_of(seal: str) -> Parts | None:
    """None for what is no seal."""
    found = seal.split(".")
    return Parts(*found) if len(found) == 5 else None


class Verifier:
    """Of many seals: the keys are looked up once. It keeps nothing of what it saw."""

    def __init__(self) -> None:
        self._secrets = {key.name: key.secret for key in keys()}

    def knows(self, key_name: str) -> bool:
        return key_name in self._secrets

    def holds(self, kind: str, values: Sequence[Any], parts: Parts) -> bool:
        secret = self._secrets.get(parts.key)
        if secret is None:
            return False
        said, mac = [kind, parts.version, parts.nonce, *values], parts.mac.encode()
        try:
            # Ten times as fast, and nearly always the same text: it writes some fractions another
            # way, so that only a seal that holds is believed.
            quick = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            quick = b""
        if quick and hmac.compare_digest(_mac_of(secret, quick), mac):
            return True
        slow = _encode_any(said).encode(errors="surrogatepass")
        return hmac.compare_digest(_mac_of(secret, slow), mac)


def _mac_of(secret: bytes, said: bytes) -> bytes:
    raw = hmac.digest(secret, said, "sha256")
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=")


def holds(kind: str, values: Sequence[Any], parts: Parts) -> bool:
    return Verifier().holds(kind, values, parts)


def changed(names: Sequence[str], values: Sequence[Any], parts: Parts) -> list[str]:
    """Which of these no longer have their marks; none where only the seal itself was changed."""
    marks = [_text(_mark(value)) for value in values]
    raw = _raw(parts.marks)
    if raw is None or len(raw) != 2 * len(names):
        return []
    return [
        name
        for place, (name, mark) in enumerate(zip(names, marks, strict=True))
        if _text(raw[2 * place : 2 * place + 2]) != mark
    ]


def _raw(text: str) -> bytes | None:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None


def signed(statement: str) -> tuple[str, str]:
    """The name of the newest key, and its HMAC over a statement."""
    key = keys()[0]
    return key.name, _text(hmac.digest(key.secret, statement.encode(), "sha256"))


def is_signed(statement: str, key_name: str, mac: str) -> bool:
    key = key_named(key_name)
    return key is not None and hmac.compare_digest(
        _text(hmac.digest(key.secret, statement.encode(), "sha256")), mac
    )
