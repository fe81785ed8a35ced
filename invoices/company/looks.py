"""The look of documents from now on, and the logos that issued ones bear."""

from __future__ import annotations

import hashlib
from typing import get_args

from invoices.documents.look import Layout, Look, is_colour
from invoices.models import Company, KeptLogo


def look_of(company: Company) -> Look:
    logo = bytes(company.logo_png)
    layout: Layout = "classic"
    for known in get_args(Layout):
        if known == company.layout:
            layout = known
    return Look(
        layout=layout,
        colour=company.colour if is_colour(company.colour) else "",
        logo=hashlib.sha256(logo).hexdigest() if logo else "",
    )


def keep_logo(company: Company) -> None:
    """The picture of a document that is being issued stays, whatever the company's is tomorrow."""
    logo = bytes(company.logo_png)
    if logo:
        KeptLogo.objects.get_or_create(
            sha256=hashlib.sha256(logo).hexdigest(), defaults={"content": logo}
        )


def logo_of(look: Look) -> bytes | None:
    """The picture that a stored paper was printed with."""
    row = KeptLogo.objects.filter(sha256=look.logo).first() if look.logo else None
    return bytes(row.content) if row else None
