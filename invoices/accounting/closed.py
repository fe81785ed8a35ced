"""The closed day is the one that was decided last, and nothing came into the period since."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.models import Allocation, BooksDecision, Company, Invoice, Payment, Refund

MOST_NAMED = 2_000


def check() -> Iterator[Broken]:
    last = BooksDecision.objects.filter(
        kind__in=[BooksDecision.Kind.CLOSED, BooksDecision.Kind.REOPENED]
    ).first()
    company = Company.ours()
    if company is None:
        return
    if company.closed_until != (last.closed_until if last else None):
        yield Broken(company.name, _("the closed day was not moved by a decision in the log."))
    if last is not None and last.closed_until is not None:
        for where in _dated_later(last):
            yield Broken(where, _("was dated in the closed period after it was closed."))


def _dated_later(decision: BooksDecision) -> Iterator[str]:
    until, at = decision.closed_until, decision.at
    documents = Invoice.objects.issued().filter(
        imported=False, issue_date__lte=until, issued_at__gt=at
    )
    yield from map(str, documents.order_by("pk")[:MOST_NAMED])
    payments = Payment.objects.filter(imported=False, received_on__lte=until, recorded_at__gt=at)
    for payment in payments.order_by("pk")[:MOST_NAMED]:
        yield _("payment %(pk)s") % {"pk": payment.pk}
    # Money that is matched later takes effect on its own day, which is as it should be.
    given_up = Allocation.objects.filter(
        kind=Allocation.Kind.WRITE_OFF, applied_on__lte=until, recorded_at__gt=at
    )
    for row in given_up.select_related("invoice").order_by("pk")[:MOST_NAMED]:
        yield _("write-off of %(number)s") % {"number": row.invoice}
    refunds = Refund.objects.filter(refunded_on__lte=until, recorded_at__gt=at)
    for refund in refunds.order_by("pk")[:MOST_NAMED]:
        yield _("refund %(pk)s") % {"pk": refund.pk}
