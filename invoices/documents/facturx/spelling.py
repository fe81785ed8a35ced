"""How XML spells amounts, numbers and texts."""

from __future__ import annotations

import re
from decimal import Decimal

from invoices.documents.paper import Paper

# What XML 1.0 cannot carry at all, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def amount(minor: int, paper: Paper) -> str:
    """An amount in minor units with all the decimals of its currency: 1200.00, JPY 1200."""
    places = len(str(paper.sub_unit)) - 1
    return number(Decimal(minor).scaleb(-places), places=places)


def number(value: Decimal, *, places: int | None = None) -> str:
    """Without exponent, without a minus before zero (“-0.00” fails BR-E-09), and without zeros at
    its end unless so many `places` are wanted."""
    text = format(value, "f") if places is None else f"{value:.{places}f}"
    if places is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.removeprefix("-") if not value else text


def plain(text: str) -> str:
    return _FORBIDDEN.sub("", text).replace("\r\n", "\n").strip()
