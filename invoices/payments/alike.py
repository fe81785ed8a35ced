"""A payment that looks like one already here: asked about, for two real ones may exist.

Alike is the same account and amount within fifteen days (two labels that differ make two payments),
or the same amount and label within sixty.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import F, Q, QuerySet
from moneyed import Money

from billing_portal.money import to_minor
from invoices.models import Client, Payment

NEAR, SAME_LABEL_NEAR = timedelta(days=15), timedelta(days=60)
SHOWN = 5


def payments_alike(
    *, client_id: int, amount: Money, received_on: date, reference: str
) -> QuerySet[Payment]:
    """Standing payments that may be this very money, newest first."""

    def around(span: timedelta) -> Q:
        return Q(received_on__range=(received_on - span, received_on + span))

    near = around(NEAR)
    if reference:
        near &= Q(reference="") | Q(reference__iexact=reference)
        near |= Q(reference__iexact=reference) & around(SAME_LABEL_NEAR)
    # With its charges or without: whoever types it the second time may not know of them.
    minor = to_minor(amount)
    same = Q(amount_minor=minor) | Q(amount_minor=minor + F("charges_minor"))
    return Payment.objects.filter(
        near,
        same,
        client__in=Client.objects.account_of(client_id),
        currency=amount.currency.code,
        # No reversal. Asked by what it reverses, SQLite would go through all payments there are.
        amount_minor__gt=0,
        reversed_by__isnull=True,
    ).order_by("-received_on", "-pk")


def not_yet_answered(found: QuerySet[Payment], answered: Iterable[int]) -> list[Payment]:
    """The ones that nobody said are other money."""
    return list(found.exclude(pk__in=list(answered))[:SHOWN])
