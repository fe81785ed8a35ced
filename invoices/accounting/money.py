"""Payments: what is allocated of each, what takes one back, in which currency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.models import Allocation, Payment

BATCH = 2_000


def check() -> Iterator[Broken]:
    sums = Payment.objects.annotate(found=Sum("allocations__amount_minor")).exclude(
        allocated_minor=0, found__isnull=True
    )
    wrong: Any = sums.exclude(allocated_minor=F("found")).order_by("pk")
    for payment in wrong[:BATCH]:
        yield Broken(
            _("payment %(pk)s") % {"pk": payment.pk},
            _("%(stored)s are allocated; its allocations make %(right)s.")
            % {"stored": payment.allocated_minor, "right": payment.found or 0},
        )
    mirrors = Payment.objects.filter(reverses__isnull=False).exclude(
        amount_minor=-F("reverses__amount_minor"), charges_minor=-F("reverses__charges_minor")
    )
    for mirror in mirrors.order_by("pk")[:BATCH]:
        yield Broken(
            _("payment %(pk)s") % {"pk": mirror.pk}, _("does not mirror what it reverses.")
        )
    foreign = Allocation.objects.filter(payment__isnull=False, invoice__isnull=False).exclude(
        invoice__currency=F("payment__currency")
    )
    for row in foreign.select_related("invoice")[:BATCH]:
        yield Broken(str(row.invoice), _("was settled in another currency."))
