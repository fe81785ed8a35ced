"""The client's link: signed, good for one version, for a time, until somebody ends it.

It carries the version and a random key, signed with the portal's secret. The key stands in the row,
so that a new one ends every link before; alone it opens nothing, for it has to come signed: who
reads the database cannot make a link of it, and a mail that leaves late can still be worded.
"""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

from invoices.models import QuoteVersion

SALT: Final = "invoices.quotes.link"
# After the last day to accept it still says what became of the quote, and can ask for a new one.
READABLE_DAYS: Final = 90
_LONGEST: Final = 400


class LinkGone(Exception):
    """Forged, ended or too old: nobody is told which, nor whether there is such a quote."""


def new_key() -> str:
    return secrets.token_urlsafe(24)


def token_of(version: QuoteVersion) -> str:
    return signing.dumps([version.pk, version.link_key], salt=SALT)


def path_of(version: QuoteVersion) -> str:
    # By hand: rules know no addresses. tests/invoices/quotes/test_links.py compares it.
    return f"/quote/{token_of(version)}/"


def address_of(version: QuoteVersion) -> str:
    """The whole link, as a mail needs it."""
    return f"{settings.BASE_URL}{path_of(version)}"


def version_of(token: str, on: date) -> QuoteVersion:
    """The version behind a link on that day. Raises LinkGone."""
    if len(token) > _LONGEST:
        raise LinkGone
    try:
        found = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        raise LinkGone from None
    match found:
        case [int(pk), str(key)] if key:
            pass
        case _:
            raise LinkGone
    version = (
        QuoteVersion.objects.select_related("quote__client", "quote__owner", "quote__version")
        .filter(pk=pk)
        .first()
    )
    if version is None or not constant_time_compare(version.link_key, key):
        raise LinkGone
    if on > version.valid_until + timedelta(days=READABLE_DAYS):
        raise LinkGone
    return version
