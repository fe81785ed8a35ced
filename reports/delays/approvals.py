"""What passed before clients approved an invoice on the platform (205), and what after it.

Only of those that say so: an invoice that was mailed, or whose client says nothing there, tells
nothing about how long it lay. Sums of whole days, so before and after come to the whole exactly.
Each figure counts the rows of the list that it opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import grouped
from invoices.models import Invoice, Transmission
from invoices.selections.filters import InvoiceFilter, select
from reports.cells import one_place
from reports.delays.estimator import TOO_FEW
from reports.delays.measuring import Scope
from reports.links import invoice_list


@dataclass(frozen=True)
class Counted:
    n: int
    url: str


@dataclass(frozen=True)
class Approvals:
    # Paid and approved by the client; of how many that were paid at all.
    paid: Counted
    paid_at_all: Counted
    # Days in sum: from issue to approval, from there to payment; the second is below zero where
    # money came first.
    before: int
    after: int
    # Not paid yet: approved, and with a payment announced (211).
    approved: Counted
    announced: Counted

    @property
    def known(self) -> bool:
        return self.paid.n >= TOO_FEW

    @property
    def means(self) -> tuple[Fraction, Fraction, Fraction] | None:
        """Whole, before and after, in days: the whole is rounded to one place, and so are its
        parts, which come to it on the page too. None of too few."""
        if not self.known:
            return None
        whole, before = (
            _tenths(Fraction(days, self.paid.n)) for days in (self.before + self.after, self.before)
        )
        return whole, before, whole - before

    @property
    def words(self) -> str:
        if self.means is None:
            return _(
                "Too few were approved on the platform and paid to tell how long an approval takes."
            )
        whole, before, after = self.means
        return ngettext(
            "Paid %(whole)s days after the invoice date on average, %(before)s of them before the "
            "client approved it and %(after)s after that (%(n)s invoice).",
            "Paid %(whole)s days after the invoice date on average, %(before)s of them before the "
            "client approved it and %(after)s after that (%(n)s invoices).",
            self.paid.n,
        ) % {
            "whole": one_place(whole),
            "before": one_place(before),
            "after": one_place(after),
            "n": grouped(self.paid.n),
        }


def _tenths(days: Fraction) -> Fraction:
    """Half away from zero."""
    tenths = int(abs(days) * 10 + Fraction(1, 2))
    return Fraction(tenths if days >= 0 else -tenths, 10)


def approvals_of(scope: Scope, today: date) -> Approvals | None:
    """None where nobody approved or announced anything, and of a past day: what clients said on the
    platform is known as of today."""
    said = Transmission.objects.exclude(approved_at=None, payment_announced_at=None)
    if scope.as_of < today or not said.exists():
        return None
    # Without the day, which is today: the list's own question, and its indexes.
    wanted = scope.wanted.but(as_of=None)
    of_paid = wanted.but(state="paid", said="approved")
    before = after = n = 0
    rows, columns = select(Invoice.objects.all(), of_paid, today)
    for issued, paid, at in rows.order_by().values_list(
        "issue_date", columns.paid_on, "transmission__approved_at"
    ):
        approved = timezone.localdate(at)
        before += (approved - issued).days
        after += (paid - approved).days
        n += 1
    found = Approvals(
        paid=Counted(n, invoice_list(of_paid)),
        paid_at_all=_counted(wanted.but(state="paid"), today),
        before=before,
        after=after,
        approved=_counted(wanted.but(state="open", said="approved"), today),
        announced=_counted(wanted.but(state="open", said="announced"), today),
    )
    return found if found.paid.n or found.approved.n or found.announced.n else None


def _counted(wanted: InvoiceFilter, today: date) -> Counted:
    rows, _columns = select(Invoice.objects.all(), wanted, today)
    return Counted(rows.order_by().count(), invoice_list(wanted))
