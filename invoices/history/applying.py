"""What each credit note and payment of the files settles of its invoice, and from which day.

They come in the order of their days; on one day the credit note goes first. Of an invoice in
instalments the one that a row names is settled first, then the oldest open ones. What a payment
brings beyond the rest is the client's. Money that went back counts between its two days only: what
settles for good is settled first, and takes effect when the invoice is open for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from billing_portal.notices import Notice, count
from invoices.history.plan import Applied, Plan, chunks
from invoices.models import Allocation
from invoices.payments.settling import STEP_COLUMNS, Settled, room_from


@dataclass(frozen=True, order=True, slots=True)
class _Move:
    day: date
    is_payment: bool
    line: int
    amount_minor: int
    returned_on: date | None = None
    instalment: int = 0


@dataclass(slots=True)
class _Part:
    """What is due on one day of an invoice, or all of it, with what settles it so far."""

    place: int | None
    amount_minor: int
    steps: list[Settled]
    left: int

    def day_for(self, day: date, minor: int) -> date:
        # Without anything taken back it fits whenever it comes.
        if minor and any(step.amount_minor < 0 for step in self.steps):
            return room_from(day, minor, self.amount_minor, self.steps)
        return day

    def room_between(self, day: date, until: date) -> int:
        """What is open on every day from `day` to before `until`."""
        days = {day, *(step.on for step in self.steps if day < step.on < until)}
        used = (sum(step.amount_minor for step in self.steps if step.on <= each) for each in days)
        return max(0, self.amount_minor - max(used))


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
            steps = plan.held_steps.get(number, {})
            parts = [
                _Part(place, minor, list(given), minor - sum(step.amount_minor for step in given))
                for place, minor in plan.parts_of(number, new.get(number)).items()
                for given in (steps.get(place, ()),)
            ]
            _apply(plan, sorted(found), target.issued_on, parts, doubts)
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
        move = _Move(row.received_on, True, row.line, row.amount_minor, returned_on, row.instalment)
        moves.setdefault(row.invoice, []).append(move)
    return moves


def _find_held_steps(plan: Plan, numbers: Iterable[str]) -> None:
    """What settles the invoices that are here, with what the files take back of it."""
    wanted = {*numbers, *(row.invoice for held in plan.held_returns for row in held.rows)}
    held = {i.pk: number for number in wanted if (i := plan.invoices.get(number)) is not None}
    returned = {each.payment.pk: each.rows[0].received_on for each in plan.held_returns}
    places = {part.pk: part.place for parts in plan.held_parts.values() for part in parts}
    for chunk in chunks(held):
        rows = Allocation.objects.filter(invoice__in=chunk).order_by("pk")
        for invoice, payment, part, *columns in rows.values_list(
            "invoice_id", "payment_id", "instalment_id", *STEP_COLUMNS
        ):
            step = Settled(*columns)
            by_part = plan.held_steps.setdefault(held[invoice], {})
            steps = by_part.setdefault(places.get(part), [])
            steps.append(step)
            if payment in returned and step.amount_minor > 0:
                until = max(returned[payment], step.on)
                steps.append(Settled(step.kind, -step.amount_minor, until, None, step.key))


def _apply(
    plan: Plan, moves: Sequence[_Move], issued: date, parts: Sequence[_Part], doubts: _Doubts
) -> None:
    # What stays is settled before what went back again.
    kept = {(m.is_payment, m.line): _taken(parts, m) for m in moves if m.returned_on is None}
    for move in moves:
        day = max(move.day, issued)
        found: list[Applied] = []
        if move.returned_on is None:
            for part, minor in kept[move.is_payment, move.line]:
                found.append(Applied(minor, part.day_for(day, minor), None, part.place))
                part.steps += _steps(found[-1], move.is_payment, move.line)
            short = sum(each.amount_minor for each in found) < move.amount_minor
            doubts.surplus += move.is_payment and short
            doubts.early += not move.is_payment and short
        else:
            until, left = max(move.returned_on, day), move.amount_minor
            for part in _in_turn(parts, move.instalment):
                if minor := min(part.room_between(day, until), left):
                    found.append(Applied(minor, day, until, part.place))
                    part.steps += _steps(found[-1], move.is_payment, move.line)
                    left -= minor
        doubts.advance += move.is_payment and move.day < issued
        (plan.paid if move.is_payment else plan.credited)[move.line] = tuple(found)


def _in_turn(parts: Sequence[_Part], named: int) -> Sequence[_Part]:
    """The named one, then the others, oldest first."""
    return sorted(parts, key=lambda part: part.place != named) if named else parts


def _taken(parts: Sequence[_Part], move: _Move) -> list[tuple[_Part, int]]:
    found: list[tuple[_Part, int]] = []
    left = move.amount_minor
    for part in _in_turn(parts, move.instalment):
        if minor := max(0, min(left, part.left)):
            found.append((part, minor))
            part.left -= minor
            left -= minor
    return found


def steps_of(
    applied: Iterable[Applied], is_payment: bool, line: int, place: int | None = None
) -> list[Settled]:
    """As the balance of its invoice counts them; with `place` those of one instalment only."""
    return [
        step
        for each in applied
        if place is None or each.place == place
        for step in _steps(each, is_payment, line)
    ]


def _steps(applied: Applied, is_payment: bool, line: int) -> list[Settled]:
    """Given, and perhaps taken back."""
    if not applied.amount_minor:
        return []
    kind = Allocation.Kind.PAYMENT if is_payment else Allocation.Kind.CREDIT
    key = (is_payment, line, applied.place)
    found = [Settled(kind, applied.amount_minor, applied.on, key)]
    if applied.until is not None:
        found.append(Settled(kind, -applied.amount_minor, applied.until, None, key))
    return found
