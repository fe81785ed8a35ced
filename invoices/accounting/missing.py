"""What an export will lack, told before anybody wants one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from invoices.accounting.chart import Chart
from invoices.accounting.journal.making import Span
from invoices.models import Company, Invoice, VatBreakdown


@dataclass(frozen=True)
class Missing:
    company: bool = False
    siren: bool = False
    # Rates of VAT on issued documents that have no account.
    rates: tuple[Decimal, ...] = ()
    # Issued documents in another currency whose rate is not known.
    without_rate: int = 0

    def __bool__(self) -> bool:
        return bool(self.company or self.siren or self.rates or self.without_rate)


def missing() -> Missing:
    company = Company.ours()
    if company is None:
        return Missing(company=True)
    chart = Chart.ours()
    rates = (
        VatBreakdown.objects.exclude(vat_minor=0).order_by("rate").values_list("rate", flat=True)
    )
    foreign = Invoice.objects.issued().filter(exchange_rate__isnull=True)
    return Missing(
        siren=not company.siren,
        rates=tuple(rate for rate in rates.distinct() if chart.vat(Decimal(rate)) is None),
        without_rate=foreign.exclude(currency=company.currency).count(),
    )


def drafts_in(span: Span, on: date) -> int:
    """Drafts that are dated in the period, or would be if they were issued today."""
    dated = Q(issue_date__range=(span.starts_on, span.ends_on))
    if span.starts_on <= on <= span.ends_on:
        dated |= Q(issue_date=None)
    return Invoice.objects.drafts().filter(dated).count()
