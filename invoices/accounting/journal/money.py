"""Money that came in and went back, as the bank's journal has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils import timezone

from invoices.accounting.chart import Role
from invoices.accounting.journal.documents import Booked
from invoices.accounting.journal.entries import Entry, Lines, Worth
from invoices.accounting.journal.making import Making, NoRate
from invoices.accounting.journal.steps import Step, lettered, steps, worths
from invoices.models import Payment
from invoices.models.clients import account

_PAID = (
    "pk", "account", "received_on", "currency", "amount_minor", "charges_minor", "reference",
    "imported", "recorded_at", "reverses", "reverses__received_on", "reversed_by__received_on",
)  # fmt: skip
_REFUNDED = (
    "pk", "account", "refunded_on", "currency", "amount_minor", "reference", "recorded_at",
    "reverses", "reverses__refunded_on",
)  # fmt: skip


class Paid(NamedTuple):
    pk: int
    account: int
    on: date
    currency: str
    minor: int
    charges: int
    reference: str
    imported: bool
    recorded_at: datetime
    reverses: int | None
    reversed_day: date | None
    taken_back_on: date | None

    @property
    def rate_day(self) -> date:
        """What takes a payment back is worth what that was: its gain or loss never was."""
        return self.reversed_day or self.on

    @property
    def piece(self) -> str:
        return self.reference or f"P{self.pk}"

    @property
    def shown_at(self) -> tuple[str, int]:
        return "invoices:payment", self.pk


class Refunded(NamedTuple):
    pk: int
    account: int
    on: date
    currency: str
    minor: int
    reference: str
    recorded_at: datetime
    reverses: int | None
    reversed_day: date | None

    @property
    def piece(self) -> str:
        return self.reference or f"R{self.pk}"

    @property
    def shown_at(self) -> tuple[str, int]:
        return "invoices:refund", self.pk


def payments(rows: Any) -> Any:
    return rows.annotate(account=account()).values_list(*_PAID)


def refunds(rows: Any) -> Any:
    return rows.annotate(account=account()).values_list(*_REFUNDED)


def payments_of(ids: Collection[int]) -> dict[int, Paid]:
    rows = payments(Payment.objects.filter(pk__in=ids))
    return {row[0]: Paid(*row) for row in rows}


def payment_worths(
    making: Making, found: Mapping[int, Paid], taken: Mapping[int, list[Step]]
) -> dict[int, int]:
    """Step → its worth at the rate of its payment; without those of a payment that has no rate."""
    told: dict[int, int] = {}
    for pk, paid in found.items():
        try:
            worth = making.worth_on(paid.currency, paid.rate_day)
        except NoRate:
            continue
        told.update(worths(paid.minor, taken.get(pk, ()), worth))
    return told


# ─ Entries ──────────────────────────────────────────────────────────────────────────────────────
def payment_entry(making: Making, paid: Paid, taken: list[Step]) -> Entry | None:
    try:
        worth = making.worth_on(paid.currency, paid.rate_day)
    except NoRate:
        making.problems.without_rate.add(paid.piece, paid.shown_at)
        return None
    if making.has_old_rate(paid.currency, paid.rate_day):
        making.problems.old_rate.add(paid.piece, paid.shown_at)
    lines = Lines()
    arrived = worth.of(paid.minor - paid.charges)
    lines.add(
        making.chart.one(Role.BANK),
        arrived,
        foreign=making.foreign(paid.currency, paid.minor - paid.charges),
    )
    lines.add(
        making.chart.one(Role.FEES),
        worth.of(paid.minor) - arrived,
        foreign=making.foreign(paid.currency, paid.charges),
    )
    _from_client(making, paid, taken, worth, lines)
    word = "payment" if paid.reverses is None else "reversal"
    return _entry(making, f"P{paid.pk}", paid, making.words[word], lines)


def _from_client(making: Making, paid: Paid, taken: list[Step], worth: Worth, lines: Lines) -> None:
    who, left, left_foreign = making.auxiliary(paid.account), worth.of(paid.minor), paid.minor
    worth_of, apart = worths(paid.minor, taken, worth), making.setup.cash_on_advances
    # On an account of its own money meets what went back of it; an invoice it meets by an entry of
    # its own (settlements.py).
    meeting = [step for step in taken if step.refund is not None] if apart else taken
    for minor, mine, letter, retained in lettered(meeting, worth_of, making.span.ends_on):
        lines.add(
            making.cash if apart else making.owed_by(retained=retained),
            -mine,
            auxiliary=who,
            foreign=making.foreign(paid.currency, -minor),
            letter=letter,
        )
        left, left_foreign = left - mine, left_foreign - minor
    lines.add(
        making.cash,
        -left,
        auxiliary=who,
        foreign=making.foreign(paid.currency, -left_foreign),
        letter=_letter_of_rest(making, paid),
    )


def _letter_of_rest(making: Making, paid: Paid) -> tuple[str, date | None]:
    """What was taken back and its mirror settle each other; at another rate a cent may differ."""
    back_on = paid.on if paid.reverses is not None else paid.taken_back_on
    if paid.currency != making.home or back_on is None or back_on > making.span.ends_on:
        return "", None
    return f"P{paid.reverses or paid.pk}", back_on


def refund_entry(
    making: Making,
    refund: Refunded,
    given: list[Step],
    worth_of: Mapping[int, int],
) -> Entry | None:
    """`worth_of` are the worths of its parts at the rates of where they came from."""
    try:
        worth = making.worth_on(refund.currency, refund.reversed_day or refund.on)
    except NoRate:
        worth = None
    if worth is None or any(step.pk not in worth_of for step in given):
        making.problems.without_rate.add(refund.piece, refund.shown_at)
        return None
    lines, who = Lines(), making.auxiliary(refund.account)
    for step in given:
        lines.add(
            making.clients if step.note is not None else making.cash,
            worth_of[step.pk],
            auxiliary=who,
            foreign=making.foreign(refund.currency, step.minor),
            letter=step.letter(making.span.ends_on),
        )
    lines.add(
        making.chart.one(Role.BANK),
        -worth.of(refund.minor),
        foreign=making.foreign(refund.currency, -refund.minor),
    )
    add_exchange_difference(making, lines, is_back=refund.minor < 0)
    word = "refund" if refund.reverses is None else "refund_back"
    return _entry(making, f"R{refund.pk}", refund, making.words[word], lines)


def add_exchange_difference(making: Making, lines: Lines, *, is_back: bool) -> None:
    """What the lines lack is what the rates made of it. What is taken back is taken back where it
    was: a gain is lessened, and no loss."""
    if not lines.balance:
        return
    is_gain = (lines.balance > 0) != is_back
    role = Role.EXCHANGE_GAIN if is_gain else Role.EXCHANGE_LOSS
    lines.add(making.chart.one(role), -lines.balance)


def _entry(
    making: Making, number: str, row: Paid | Refunded, words: str, lines: Lines
) -> Entry | None:
    postings = lines.done()
    if not postings:
        return None
    return Entry(
        number=number,
        journal="bank",
        day=row.on,
        piece=row.piece,
        piece_day=row.on,
        text=words.format(client=making.client_name(row.account)),
        postings=postings,
        recorded_on=timezone.localdate(row.recorded_at),
        shown_at=row.shown_at,
    )


def refund_worths(
    making: Making, given: Mapping[int, list[Step]], notes: Mapping[int, Booked]
) -> dict[int, int]:
    """The parts of refunds at the rates of the payments and credit notes that they came from."""
    every = [step for parts in given.values() for step in parts]
    payment_ids = {step.payment for step in every if step.payment is not None}
    found = payment_worths(making, payments_of(payment_ids), steps(payment=payment_ids))
    taken = steps(credit_note=notes.keys())
    for pk, note in notes.items():
        found.update(worths(note.doc.total, taken.get(pk, ()), note.worth))
    return found
