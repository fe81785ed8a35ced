"""What each credit note and payment of the files settles of its invoice, and from which day.

They come in the order of their days; on one day the credit note goes first. What a payment brings
beyond the rest is the client's. Money that went back counts between its two days only: what settles
for good is settled first, and takes effect when the invoice is open for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing_portal.notices import Notice, count
from invoices.history.plan import Applied, Plan, chunks, issued_on
from invoices.models import Allocation
from invoices.payments.settling import STEP_COLUMNS, Settled, room_from


@dataclass(frozen=True, order=True, slots=True)
class _Move:
    day: date
    is_payment: bool
    line: int
    amount_minor: int
    returned_on: date | None = None


@dataclass(slots=True)
class _Doubts:
    """What is kept as it is, and said."""

    advance: int = 0
    surplus: int = 0
    early: int = 0


def apply_moves(plan: Plan) -> None:
    moves = _moves(plan)
    _find_held_steps(plan, moves)
    new = {row.number: row for row in plan.new_invoices}
    doubts = _Doubts()
    for number, found in moves.items():
        target = new.get(number) or plan.invoices.get(number)
        if target is not None:
            steps = plan.held_steps.get(number, [])
            _apply(plan, sorted(found), issued_on(target), target.total_minor, steps, doubts)
    for code, doubtful in (
        ("advance", doubts.advance),
        ("surplus", doubts.surplus),
        ("credit_early", doubts.early),
    ):
        if doubtful:
            plan.notices.append(Notice(f"history.{code}", count=count(doubtful)))


def _moves(plan: Plan) -> dict[str, list[_Move]]:
    moves: dict[str, list[_Move]] = {}
    for credit in plan.new_invoices:
        if credit.is_credit_note and credit.corrects:
            move = _Move(credit.issued_on, False, credit.line, credit.total_minor)
            moves.setdefault(credit.corrects, []).append(move)
    for row in plan.new_payments:
        back = plan.returns.get(row.line)
        returned_on = back.received_on if back else None
        move = _Move(row.received_on, True, row.line, row.amount_minor, returned_on)
        moves.setdefault(row.invoice, []).append(move)
    return moves


def _find_held_steps(plan: Plan, numbers: Iterable[str]) -> None:
    """What settles the invoices that are here, with what the files take back of it."""
    wanted = {*numbers, *(row.invoice for held in plan.held_returns for row in held.rows)}
    held = {i.pk: number for number in wanted if (i := plan.invoices.get(number)) is not None}
    returned = {each.payment.pk: each.rows[0].received_on for each in plan.held_returns}
    for chunk in chunks(held):
        rows = Allocation.objects.filter(invoice__in=chunk).order_by("pk")
        for invoice, payment, *columns in rows.values_list(
            "invoice_id", "payment_id", *STEP_COLUMNS
        ):
            step = Settled(*columns)
            steps = plan.held_steps.setdefault(held[invoice], [])
            steps.append(step)
            if payment in returned and step.amount_minor > 0:
                until = max(returned[payment], step.on)
                steps.append(Settled(step.kind, -step.amount_minor, until, None, step.key))


def _apply(
    plan: Plan,
    moves: list[_Move],
    issued: date,
    total_minor: int,
    steps: list[Settled],
    doubts: _Doubts,
) -> None:
    left = total_minor - sum(step.amount_minor for step in steps)
    takes: dict[tuple[bool, int], int] = {}
    for move in moves:
        if move.returned_on is None:
            takes[move.is_payment, move.line] = min(left, move.amount_minor)
            left -= takes[move.is_payment, move.line]
    so_far = list(steps)
    for move in moves:
        day = max(move.day, issued)
        if move.returned_on is None:
            take = takes[move.is_payment, move.line]
            # Without anything taken back it fits whenever it comes.
            if take and any(step.amount_minor < 0 for step in so_far):
                day = room_from(day, take, total_minor, so_far)
            applied = Applied(take, day)
            doubts.surplus += move.is_payment and take < move.amount_minor
            doubts.early += not move.is_payment and take < move.amount_minor
        else:
            until = max(move.returned_on, day)
            take = min(_room_between(day, until, total_minor, so_far), move.amount_minor)
            applied = Applied(take, day, until)
        doubts.advance += move.is_payment and move.day < issued
        (plan.paid if move.is_payment else plan.credited)[move.line] = applied
        so_far += steps_of(applied, move.is_payment, move.line)


def steps_of(applied: Applied, is_payment: bool, line: int) -> list[Settled]:
    """As the balance of its invoice counts it: given, and perhaps taken back."""
    if not applied.amount_minor:
        return []
    kind = Allocation.Kind.PAYMENT if is_payment else Allocation.Kind.CREDIT
    key = (is_payment, line)
    found = [Settled(kind, applied.amount_minor, applied.on, key)]
    if applied.until is not None:
        found.append(Settled(kind, -applied.amount_minor, applied.until, None, key))
    return found


def _room_between(day: date, until: date, total_minor: int, steps: list[Settled]) -> int:
    """What is open on every day from `day` to before `until`."""
    days = {day, *(step.on for step in steps if day < step.on < until)}
    most = max(sum(step.amount_minor for step in steps if step.on <= each) for each in days)
    return max(0, total_minor - most)
