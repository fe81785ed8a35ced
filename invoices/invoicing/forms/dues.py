"""Instalments typed by hand: a line for each, a day and what is due on it.

15/12/2026 30 %
31/01/2027 1 200,50
28/02/2027 rest
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.money import from_minor, round_half_up
from billing_portal.typed import numbers
from billing_portal.typed.days import read_day
from billing_portal.typed.texts import Unreadable, shown
from invoices.documents.instalments import MOST_INSTALMENTS, Share
from invoices.invoicing.dues import Planned

# In both languages, whichever the page is in.
_REST = {"rest", "the rest", "balance", "solde", "le solde", "reste", "le reste"}


def read_dues(text: str, currency: str, today: date) -> list[Planned]:
    """Raises ValidationError with a sentence for the first line that cannot be read."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_INSTALMENTS:
        raise ValidationError(
            _("At most %(limit)s instalments: these are %(n)s.")
            % {"limit": MOST_INSTALMENTS, "n": len(lines)}
        )
    found: list[Planned] = []
    for line in lines:
        try:
            day, share = _read_line(line, currency, today)
        except Unreadable as problem:
            raise ValidationError(
                _("“%(line)s”: %(problem)s") % {"line": shown(line), "problem": problem}
            ) from None
        if any(day == before for before, _share in found):
            raise ValidationError(
                _("%(day)s stands twice: one instalment for each day.") % {"day": dates.day(day)}
            )
        found.append((day, share))
    return sorted(found, key=lambda due: due[0])


def _read_line(line: str, currency: str, today: date) -> Planned:
    # The day ends at the first space or tab after a digit; months in words hold letters between.
    parts = re.split(r"[\s:;\u00a0\u202f]+", line, maxsplit=1)
    if len(parts) < 2 or not parts[1].strip():
        raise Unreadable(_("write a day and what is due on it, such as 15/12/2026 30 %."))
    return read_day(parts[0], today), _read_share(parts[1].strip(), currency)


def _read_share(text: str, currency: str) -> Share:
    if text.lower() in _REST:
        return None
    if text.endswith("%"):
        percent = numbers.read_number(text[:-1].strip())
        if not 0 < percent <= 100:
            raise Unreadable(_("a share is above 0 and at most 100 %."))
        if numbers.is_finer(percent, 2):
            raise Unreadable(numbers.too_fine(2))
        return percent
    amount = numbers.read_amount(text, currency)
    if amount <= 0:
        raise Unreadable(_("give an amount above zero."))
    minor = round_half_up(amount, currency)
    if from_minor(minor, currency).amount != amount:
        raise Unreadable(_("the amount is finer than the smallest coin of its currency."))
    return minor


def dues_as_typed(dues: Iterable[Planned], currency: str) -> str:
    """As the field shows them; it reads back."""
    return "\n".join(f"{dates.as_typed(day)} {_share(share, currency)}" for day, share in dues)


def _share(share: Share, currency: str) -> str:
    if share is None:
        return _("rest")
    if isinstance(share, Decimal):
        return f"{numbers.as_typed(share.normalize() + 0)} %"
    return numbers.as_typed(from_minor(share, currency).amount)
