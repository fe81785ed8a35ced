"""Does each final invoice take off what was billed of its deposits, once, and nothing else?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.models import DepositDeduction, Invoice, InvoiceLine


def check() -> Iterator[Broken]:
    of_line = InvoiceLine.objects.filter(deducts=OuterRef("pk")).order_by().values("deducts")
    notes = Invoice.objects.filter(corrects=OuterRef("deposit")).issued().order_by()
    rows = (
        DepositDeduction.objects.exclude(invoice__status__in=["draft", "void"])
        .select_related("invoice", "deposit")
        .annotate(
            lines_net=Subquery(of_line.annotate(sum=Sum("net_minor")).values("sum")),
            lines_vat=Subquery(of_line.annotate(sum=Sum("deducted_vat_minor")).values("sum")),
            credited=Coalesce(
                Subquery(notes.values("corrects").annotate(sum=Sum("total_minor")).values("sum")), 0
            ),
        )
    )
    for row in rows.iterator(chunk_size=500):
        if (row.lines_net, row.lines_vat) != (-row.net_minor, row.vat_minor):
            text = _("its lines do not take off what it deducts of %(deposit)s.")
            yield Broken(str(row.invoice), text % {"deposit": row.deposit.number})
        left = row.deposit.total_minor - row.credited
        if not row.released and row.total_minor > left:
            text = _("it deducts more of %(deposit)s than credit notes left of it.")
            yield Broken(str(row.invoice), text % {"deposit": row.deposit.number})
    for final in _taken_back_whole():
        text = _("it is credited whole and still holds its deposits.")
        yield Broken(str(final), text)


def _taken_back_whole() -> list[Invoice]:
    notes = Invoice.objects.filter(corrects=OuterRef("pk")).issued().order_by()
    return list(
        Invoice.objects.issued()
        .filter(deductions__released=False, total_minor__gt=0)
        .annotate(
            taken=Subquery(notes.values("corrects").annotate(sum=Sum("total_minor")).values("sum"))
        )
        .filter(taken__gte=F("total_minor"))
        .distinct()
    )
