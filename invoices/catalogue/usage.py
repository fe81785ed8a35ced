"""Where an item is used, and what was billed of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billing_portal.accounts.models import User
from invoices.models import (
    CatalogueItem,
    Invoice,
    InvoiceLine,
    Quote,
    QuoteLine,
    Subscription,
    SubscriptionLine,
)
from invoices.models.standing import was_issued

SHOWN = 20


@dataclass(frozen=True)
class Billed:
    """Of issued documents, credit notes taken off; before VAT, in minor units."""

    currency: str
    quantity: Decimal
    net_minor: int
    documents: int


@dataclass(frozen=True)
class Usage:
    billed: list[Billed]
    invoices: list[Invoice]
    invoice_count: int
    quotes: list[Quote]
    subscriptions: list[Subscription]

    @property
    def is_nowhere(self) -> bool:
        return not (self.invoices or self.quotes or self.subscriptions)


def usage_of(item: CatalogueItem, reader: User) -> Usage:
    """As far as the reader may see it; what was discarded is left out."""
    visible = Invoice.objects.visible_to(reader).exclude(status=Invoice.Status.VOID)
    invoices = visible.filter(pk__in=InvoiceLine.objects.filter(item=item).values("invoice"))
    quotes = Quote.objects.visible_to(reader).filter(
        version__in=QuoteLine.objects.filter(item=item).values("version")
    )
    subscriptions = Subscription.objects.visible_to(reader).filter(
        versions__in=SubscriptionLine.objects.filter(item=item).values("version")
    )
    return Usage(
        billed_of(item, reader),
        list(invoices.select_related("client").order_by("-pk")[:SHOWN]),
        invoices.count(),
        list(
            quotes.exclude(version__status="discarded").select_related("client", "version")[:SHOWN]
        ),
        list(subscriptions.exclude(status="discarded").select_related("client").distinct()[:SHOWN]),
    )


def billed_of(item: CatalogueItem, reader: User) -> list[Billed]:
    """Per currency: what issued invoices say of it, less what credit notes took back."""
    issued = Invoice.objects.visible_to(reader).filter(was_issued())
    lines = InvoiceLine.objects.filter(item=item, invoice__in=issued).order_by()
    said = lines.values_list(
        *("invoice__currency", "invoice__kind", "invoice_id", "quantity", "net_minor")
    )
    # Quantities are decimals, which are added up in Python: SQLite would make floats of them.
    sums: dict[str, tuple[Decimal, int]] = {}
    documents: dict[str, set[int]] = {}
    for currency, kind, invoice_id, quantity, net_minor in said.iterator(chunk_size=2_000):
        sign = -1 if kind == Invoice.Kind.CREDIT_NOTE else 1
        of_it, net = sums.get(currency, (Decimal(0), 0))
        sums[currency] = (of_it + sign * quantity, net + sign * net_minor)
        documents.setdefault(currency, set()).add(invoice_id)
    return [
        Billed(currency, *sums[currency], documents=len(documents[currency]))
        for currency in sorted(sums)
    ]
