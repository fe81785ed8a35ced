"""VAT by rate in the file of a list: a basis and a VAT for each rate that occurs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.figures import percent
from billing_portal.lists.columns import Amount, Column
from invoices.invoicing.views.list_rows import Line
from invoices.models import VatBreakdown
from invoices.selections.signs import sign_of

BATCH = 1_000
PLACE = "vat_by_rate"


def rates_that_occur() -> list[Decimal]:
    """On any document, so that each file of a portal has the same columns."""
    rates = VatBreakdown.objects.order_by("-rate").values_list("rate", flat=True)
    return [Decimal(rate) for rate in rates.distinct()]


def vat_columns(rates: Sequence[Decimal]) -> list[Column]:
    """Empty where a document does not count, or does not state its rates (of the old system)."""
    found = []
    for rate in rates:
        said = {"rate": percent(rate)}
        label = _("Basis at %(rate)s") % said
        found.append(Column(f"basis-{rate}", label, value=_value(rate, 0)))
        if rate:
            label = _("VAT at %(rate)s") % said
            found.append(Column(f"vat-{rate}", label, value=_value(rate, 1)))
    return found


def _value(rate: Decimal, which: int) -> Any:
    def value(line: Line) -> Amount | None:
        stated = line.row[PLACE]
        if line.net is None or not stated:
            return None
        minor = stated.get(rate, (0, 0))[which]
        return Amount(sign_of(line.row["kind"]) * minor, line.row["currency"])

    return value


def with_vat(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows as they come, each with basis and VAT by rate, read for many at once."""
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        stated: dict[int, dict[Decimal, tuple[int, int]]] = {row["pk"]: {} for row in batch}
        breakdown = VatBreakdown.objects.filter(invoice__in=stated).order_by()
        for pk, rate, basis, vat in breakdown.values_list(
            "invoice", "rate", "basis_minor", "vat_minor"
        ):
            # Several categories may be without VAT.
            before = stated[pk].get(rate, (0, 0))
            stated[pk][rate] = (before[0] + basis, before[1] + vat)
        for row in batch:
            yield {**row, PLACE: stated[row["pk"]]}
