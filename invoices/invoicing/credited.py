"""What credit notes have taken back of invoices: notes on one, and the shares of rebates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from invoices.models import CreditShare, Invoice, VatBreakdown

# (category, rate) → (basis, VAT), in minor units
ByRate = dict[tuple[str, Decimal], tuple[int, int]]


def total_taken_back(invoice: Invoice) -> int:
    """With VAT, in minor units; lock the invoice before acting on it."""
    notes = Invoice.objects.filter(corrects=invoice).issued()
    of_notes = notes.aggregate(sum=Sum("total_minor"))["sum"] or 0
    return int(of_notes) + sum(net + vat for net, vat in shares_of(invoice).values())


def shares_of(invoice: Invoice) -> ByRate:
    """What rebates took off one invoice."""
    found: ByRate = {}
    for row in CreditShare.objects.filter(invoice=invoice):
        net, vat = found.get((row.category, row.rate), (0, 0))
        found[row.category, row.rate] = (net + row.basis_minor, vat + row.vat_minor)
    return found


def left_by_rate(invoices: Iterable[Invoice]) -> dict[int, ByRate]:
    """What is left of each, by its id; in as many queries for a hundred as for one.

    Empty of one that was brought in without its VAT by rate.
    """
    ids = [invoice.pk for invoice in invoices]
    found: dict[int, ByRate] = {pk: {} for pk in ids}
    for pk, category, rate, net, vat in VatBreakdown.objects.filter(invoice__in=ids).values_list(
        "invoice", "category", "rate", "basis_minor", "vat_minor"
    ):
        found[pk][category, rate] = (net, vat)
    for pk, groups in _taken_by_rate(ids).items():
        for key, (net, vat) in groups.items():
            if key in found[pk]:
                was = found[pk][key]
                found[pk][key] = (was[0] - net, was[1] - vat)
    return found


def _taken_by_rate(ids: list[int]) -> dict[int, ByRate]:
    notes = Invoice.objects.filter(corrects__in=ids).issued()
    of_notes = VatBreakdown.objects.filter(invoice__in=notes).values_list(
        "invoice__corrects", "category", "rate", "basis_minor", "vat_minor"
    )
    of_rebates = CreditShare.objects.filter(invoice__in=ids).values_list(
        "invoice", "category", "rate", "basis_minor", "vat_minor"
    )
    found: dict[int, ByRate] = defaultdict(dict)
    for pk, category, rate, net, vat in (*of_notes, *of_rebates):
        assert pk is not None
        was = found[pk].get((category, rate), (0, 0))
        found[pk][category, rate] = (was[0] + net, was[1] + vat)
    return found
