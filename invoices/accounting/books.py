"""Do the books hold? Numbers, seals, balances, stored documents, against the rows beneath them.

What the portal wrote bears a seal, and what bears its seal was compared, page with rows and
e-invoice with page, when it was made. So these costly comparisons are made of those documents only
whose seal is broken, to say in words what was changed; `deep` makes them of all.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from invoices.accounting import (
    attached,
    balances,
    closed,
    deposits,
    einvoices,
    guards,
    log,
    money,
    pages,
    search_keys,
    series,
)
from invoices.accounting.broken import Broken
from invoices.accounting.chain import anchors, checking, linking
from invoices.accounting.one_moment import one_moment
from invoices.models import Document, Invoice

BATCH = 2_000


def verify(*, deep: bool = False, kept: list[anchors.Anchor] | None = None) -> list[Broken]:
    """Everything that is broken; empty when all holds. What is new is linked into the chain first.

    `kept` are heads of the chain that were kept elsewhere, beside those of the portal's own log.
    """
    linking.link_new(thoroughly=True)
    checked = checking.Checked()
    with one_moment():
        sealed = list(checking.check(checked))
        closely = None if deep else checked.suspects
        outside = anchors.check([*anchors.kept_here(), *(kept or [])])
        return _with_the_rows([*sealed, *outside], closely)


def verify_without_keys() -> list[Broken]:
    """What can be proven where a key that sealed the books is not there: hashes, links, pages,
    files and sums of all documents; not who wrote the rows."""
    with one_moment():
        return _with_the_rows(list(checking.check_without_keys()), None)


def _with_the_rows(sealed: list[Broken], closely: set[int] | None) -> list[Broken]:
    found = [
        *guards.check(),
        *series.check(),
        *closed.check(),
        *sealed,
        *pages.check(closely),
        *deposits.check(),
        *balances.check(),
        *money.check(),
        *log.check(),
        *_breakdowns(),
        *_files(),
        *attached.check(),
        *einvoices.check_all(closely),
        *einvoices.missing(),
        *search_keys.check(),
    ]
    # Two checks may say the same of one row.
    return list(dict.fromkeys(found))


def _breakdowns() -> Iterator[Broken]:
    rows = (
        Invoice.objects.issued()
        .filter(imported=False)
        # No row at all is a sum of nothing, which a comparison in SQL would pass over.
        .annotate(
            basis=Coalesce(Sum("vat_breakdown__basis_minor"), 0),
            vat_sum=Coalesce(Sum("vat_breakdown__vat_minor"), 0),
        )
        .exclude(basis=F("net_minor"), vat_sum=F("vat_minor"))
        .order_by("pk")
    )
    for invoice in rows[:BATCH]:
        yield Broken(str(invoice), _("its VAT rows do not make its totals."))
    over = (
        Invoice.objects.invoices()
        .issued()
        .filter(credit_notes__status__in=["issued", "settled"])
        .annotate(credit=Sum("credit_notes__total_minor"))
        .filter(credit__gt=F("total_minor"))
    )
    for invoice in over[:BATCH]:
        yield Broken(str(invoice), _("its credit notes exceed it."))


def _files() -> Iterator[Broken]:
    ours = Invoice.objects.issued().filter(imported=False).order_by("pk")
    without = ours.exclude(pk__in=Document.objects.filter(kind="pdf").values("invoice"))
    for number in without.values_list("number", flat=True)[:BATCH]:
        yield Broken(number, _("has no stored document."))
