"""The number of a quote: a series of its own, given when the quote first leaves."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from invoices.company.numbering import take
from invoices.documents.numbers import YEAR, Pattern
from invoices.models import Company, Invoice, NumberPattern, NumberSeries, Quote
from invoices.quotes.refusals import QuoteRefused

KIND: Final = "quote"
WIDTH: Final = 4
# The second where the first is that of another series: prefixes differ.
_PREFIXES: Final = {"FR": ("D-{year}-", "DEV-{year}-"), "": ("Q-{year}-", "QUO-{year}-")}


def give_number(quote: Quote, on: date, company: Company) -> None:
    """The next number, set on the row; the caller saves it in its transaction."""
    series = _locked(on, company)
    quote.series, quote.sequence = series, take(series)
    quote.number = series.number(quote.sequence, on)
    series.save(update_fields=["next_value"])


def _locked(on: date, company: Company) -> NumberSeries:
    period = str(on.year)
    rows = NumberSeries.objects.select_for_update().filter(
        kind=KIND, period=period, ended_on__isnull=True
    )
    if (series := rows.first()) is not None:
        return series
    of_invoices = {NumberPattern.of(kind).prefix for kind in Invoice.Kind.values}
    for prefix in _PREFIXES.get(company.country, _PREFIXES[""]):
        if prefix in of_invoices:
            continue
        form = Pattern(prefix, WIDTH, YEAR)
        try:
            with transaction.atomic():
                NumberSeries.objects.create(
                    kind=KIND, period=period, prefix=form.prefix_in(on), width=WIDTH
                )
        except IntegrityError:
            # Somebody began the year this very moment, or another series has the prefix.
            pass
        if (series := rows.first()) is not None:
            return series
    raise QuoteRefused(_("No number can be given: the prefixes of quotes belong to other series."))
