"""The number of a quote: a series of its own, given when the quote first leaves."""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from invoices.company.numbering import prefix_for, take
from invoices.models import Company, Invoice, NumberSeries, Quote
from invoices.quotes.refusals import QuoteRefused

KIND: Final = "quote"
# The second where the first is that of another series: prefixes differ.
_PREFIXES: Final = {"FR": ("D-{year}-", "DEV-{year}-"), "": ("Q-{year}-", "QUO-{year}-")}


def give_number(quote: Quote, year: int, company: Company) -> None:
    """The next number, set on the row; the caller saves it in its transaction."""
    series = _locked(year, company)
    quote.series, quote.sequence = series, take(series)
    quote.number = series.number(quote.sequence)
    series.save(update_fields=["next_value"])


def _locked(year: int, company: Company) -> NumberSeries:
    rows = NumberSeries.objects.select_for_update().filter(kind=KIND, year=year)
    if (series := rows.first()) is not None:
        return series
    of_invoices = {prefix_for(kind, year, company) for kind in Invoice.Kind.values}
    for pattern in _PREFIXES.get(company.country, _PREFIXES[""]):
        prefix = pattern.replace("{year}", str(year))
        if prefix in of_invoices:
            continue
        try:
            with transaction.atomic():
                NumberSeries.objects.create(
                    kind=KIND, year=year, prefix=prefix, width=company.number_width
                )
        except IntegrityError:
            # Somebody began the year this very moment, or another series has the prefix.
            pass
        if (series := rows.first()) is not None:
            return series
    raise QuoteRefused(_("No number can be given: the prefixes of quotes belong to other series."))
