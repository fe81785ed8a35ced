"""Days far from today on what is about to be issued are asked about: no issue is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing_portal.dates import day as in_words
from billing_portal.typed.days import doubt
from invoices.invoicing import drafting
from invoices.models import Invoice


@dataclass(frozen=True)
class FarDates:
    questions: tuple[str, ...] = ()
    # What a yes is a yes to: other days are asked about again.
    token: str = ""


def far_dates(invoice: Invoice, on: date) -> FarDates:
    """The days that the page would bear and that are a year or more from `on`."""
    if not invoice.is_draft:
        return FarDates()
    found = list(_asked(invoice, on))
    return FarDates(
        tuple(question for _day, question in found),
        " ".join(day.isoformat() for day, _question in found),
    )


def _asked(invoice: Invoice, on: date) -> Iterator[tuple[date, str]]:
    issued, due = drafting.dates_of(invoice, on)
    if doubt(issued, on):
        text = _("This invoice is dated %(day)s. Issue it so?")
        yield issued, text % {"day": in_words(issued)}
    if doubt(due, on):
        yield due, _("It is due on %(day)s. Issue it so?") % {"day": in_words(due)}
    # A service of one day is asked about once.
    for served in dict.fromkeys((invoice.service_from, invoice.service_until)):
        if served is not None and doubt(served, on):
            text = _("The service is dated %(day)s. Issue it so?")
            yield served, text % {"day": in_words(served)}
