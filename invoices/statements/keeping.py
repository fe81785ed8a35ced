"""Letters are printed, and kept as they left."""

from __future__ import annotations

import hashlib
import re
from datetime import date

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.documents.letters import Letter
from invoices.documents.pdf.letters import print_letter
from invoices.models import AccountLetter, Client, Company, Payment


class LetterRefused(Exception):
    """Nothing was written or sent; the message is written for staff."""


def company_that_writes() -> Company:
    company = Company.ours()
    if company is None:
        raise LetterRefused(_("Say who sells: fill in the company in Settings."))
    return company


def printed(letter: Letter) -> bytes:
    """The PDF. Raises PdfRefused."""
    return print_letter(letter, logo_png=bytes(Company.objects.get(pk=1).logo_png) or None)


def file_name(letter: Letter, client: Client) -> str:
    parts = [letter.kind, letter.number, client.name[:60], letter.on.isoformat()]
    plain = re.sub(r"[^\w.-]+", "-", "-".join(filter(None, parts)))
    return f"{plain.strip('-')[:110]}.pdf"


def keep(
    letter: Letter,
    client: Client,
    *,
    kind: str,
    content: bytes,
    by: User | None,
    since: date | None = None,
    payment: Payment | None = None,
    reason_key: str = "",
) -> AccountLetter:
    """The bytes as they leave the house; the caller holds the transaction."""
    return AccountLetter.objects.create(
        kind=kind,
        client=client,
        payment=payment,
        since=since,
        on=letter.on,
        language=letter.language,
        reason_key=reason_key,
        filename=file_name(letter, client),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        created_by=by,
    )
