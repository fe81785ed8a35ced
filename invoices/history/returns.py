"""Rows below zero: money that went back, tied to the payment that it takes back.

A row takes back one earlier payment of the same invoice and the same amount, whole, as a reversal
here does. Where several come into question the reference decides; what it leaves open is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing_portal.notices import Notice, amount, count, day
from invoices.history.plan import HeldReturn, Plan, chunks, complain
from invoices.history.rows import PaymentRow
from invoices.models import Allocation, ImportedPaymentRow, Payment


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A payment of an invoice that stands: a row of the file, or one that is here."""

    received_on: date
    reference: str
    method: str
    row: PaymentRow | None = None
    taken: ImportedPaymentRow | None = None

    @property
    def looks(self) -> tuple[date, str, str]:
        return self.received_on, self.reference, self.method


def lock_payments(rows: Iterable[PaymentRow]) -> None:
    """What may be taken back, before its invoices are locked: everybody locks in this order."""
    numbers = {row.invoice for row in rows if row.takes_back}
    for chunk in chunks(sorted(numbers)):
        taken = ImportedPaymentRow.objects.filter(invoice__number__in=chunk)
        payments = Payment.objects.filter(pk__in=taken.values("payment"))
        list(payments.select_for_update().order_by("pk"))


def tie_returns(plan: Plan, new: list[PaymentRow]) -> None:
    """Fill `plan.returns` and `plan.held_returns`; complain of what cannot be tied."""
    backs = sorted(
        (row for row in new if row.takes_back), key=lambda row: (row.received_on, row.line)
    )
    if not backs:
        return
    candidates = _candidates(plan, new, {row.invoice for row in backs})
    of_held: dict[int, list[PaymentRow]] = defaultdict(list)
    for back in backs:
        found = _choose(plan, back, candidates[back.invoice, -back.amount_minor])
        if found is None:
            continue
        candidates[back.invoice, -back.amount_minor].remove(found)
        if found.row is not None:
            plan.returns[found.row.line] = back
        elif found.taken is not None:
            of_held[found.taken.payment_id].append(back)
    _take_held_back(plan, of_held)
    tied = len(plan.returns) + sum(len(held.rows) for held in plan.held_returns)
    if tied:
        plan.notices.append(Notice("history.returns", count=count(tied)))


def _candidates(
    plan: Plan, new: Iterable[PaymentRow], numbers: set[str]
) -> dict[tuple[str, int], list[_Candidate]]:
    """Invoice and amount → what of it stands, in the order of days."""
    found: dict[tuple[str, int], list[_Candidate]] = defaultdict(list)
    for row in new:
        if not row.takes_back and row.invoice in numbers:
            each = _Candidate(row.received_on, row.reference, row.method, row=row)
            found[row.invoice, row.amount_minor].append(each)
    held = {plan.invoices[number].pk: number for number in numbers if number in plan.invoices}
    for chunk in chunks(held):
        rows = ImportedPaymentRow.objects.filter(
            invoice__in=chunk, amount_minor__gt=0, payment__reversed_by__isnull=True
        )
        for taken in rows.order_by("pk"):
            each = _Candidate(taken.received_on, taken.reference, taken.method, taken=taken)
            found[held[taken.invoice_id], taken.amount_minor].append(each)
    for alike in found.values():
        alike.sort(key=lambda each: each.received_on)
    return found


def _choose(plan: Plan, back: PaymentRow, alike: list[_Candidate]) -> _Candidate | None:
    """The one that `back` takes back; None, with a complaint, where that cannot be said."""
    values = {"number": back.invoice, "amount": amount(-back.amount_minor, back.currency)}
    before = [each for each in alike if each.received_on <= back.received_on]
    named = [each for each in before if back.reference and each.reference == back.reference]
    fitting = named or before
    if not fitting and back.invoice in plan.rows.doubtful_payments:
        return None
    if not fitting:
        code = "return_later" if alike else "return_nothing"
        complain(plan, "payments", back.line, "amount", code, day=day(back.received_on), **values)
    elif len({each.looks for each in fitting}) > 1:
        complain(
            plan,
            "payments",
            back.line,
            "reference",
            "return_several",
            count=count(len(fitting)),
            days=[day(each.received_on) for each in fitting],
            **values,
        )
    else:
        return fitting[-1]
    return None


def _take_held_back(plan: Plan, of_held: dict[int, list[PaymentRow]]) -> None:
    """A payment that is here went back whole, on one day, or the rows are refused."""
    for chunk in chunks(sorted(of_held)):
        payments = Payment.objects.filter(pk__in=chunk).order_by("pk")
        refunded = set(
            Allocation.objects.filter(payment__in=chunk, kind=Allocation.Kind.REFUND)
            .exclude(taken_back_by__isnull=False)
            .filter(takes_back__isnull=True)
            .values_list("payment_id", flat=True)
        )
        for payment in payments:
            backs = of_held[payment.pk]
            code = ""
            if sum(back.amount_minor for back in backs) != -payment.amount_minor:
                code = "return_part"
            elif len({back.received_on for back in backs}) > 1:
                code = "return_days"
            elif payment.pk in refunded:
                code = "return_refunded"
            if not code:
                plan.held_returns.append(HeldReturn(payment, backs))
                continue
            whole = amount(payment.amount_minor, payment.currency)
            for back in backs:
                complain(
                    plan, "payments", back.line, "amount", code,
                    number=back.invoice, whole=whole, day=day(payment.received_on),
                )  # fmt: skip
