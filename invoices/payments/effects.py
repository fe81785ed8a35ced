"""What recording a payment will do, in words: told of the very parts that will be recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from invoices.models.dues import overdue_minor
from invoices.payments.entry import Entry
from invoices.payments.spreading import Part

# More than so many invoices are counted, not named.
NAMED = 3


@dataclass(frozen=True)
class Effect:
    icon: str
    text: str
    detail: str = ""
    # The field that it leads to.
    field: str = ""
    # To be looked at before it is recorded.
    doubtful: bool = False


def effects(entry: Entry) -> list[Effect]:
    """One line for each thing that changes; none for what does not happen."""
    if entry.client is None or not entry.amount or entry.left < 0:
        return []
    told = (_settled, _in_part, _kept, _charges, _too_early)
    return [effect for tell in told for effect in tell(entry)]


def _settled(entry: Entry) -> Iterator[Effect]:
    settled = [part for part in entry.parts if part.minor and not part.left_minor]
    if settled:
        text = ngettext("%(n)s invoice is settled", "%(n)s invoices are settled", len(settled))
        yield Effect(
            "circle-check",
            text % {"n": grouped(len(settled))} + _lateness(entry, settled),
            _less_overdue(entry),
        )


def _lateness(entry: Entry, settled: list[Part]) -> str:
    """“, 15 and 8 days late”: how late money settles them; nothing when it is in time."""
    paid_on = entry.received_on or entry.on
    late = sorted(
        (
            days
            for part in settled
            if part.invoice.next_due and (days := (paid_on - part.invoice.next_due).days) > 0
        ),
        reverse=True,
    )
    if not late:
        return ""
    if len(late) == 1 or late[0] == late[-1]:
        text = ngettext(", %(n)s day late", ", %(n)s days late", late[0])
        return text % {"n": grouped(late[0])}
    if len(late) == 2:
        words = {"most": grouped(late[0]), "least": grouped(late[1])}
        return _(", %(most)s and %(least)s days late") % words
    return _(", up to %(n)s days late") % {"n": grouped(late[0])}


def _less_overdue(entry: Entry) -> str:
    before = entry.here.overdue_minor
    paid = sum(
        min(part.minor or 0, overdue_minor(part.invoice, entry.on))
        for part in entry.parts
        if part.invoice.is_overdue(entry.on)
    )
    if not before or not paid:
        return ""
    return _("Overdue of this client: %(before)s → %(after)s") % {
        "before": formatted_minor(before, entry.currency),
        "after": formatted_minor(before - paid, entry.currency),
    }


def _in_part(entry: Entry) -> Iterator[Effect]:
    in_part = [part for part in entry.parts if part.minor and part.left_minor > 0]
    for part in in_part[:NAMED]:
        left = {"left": formatted_minor(part.left_minor, entry.currency)}
        # So little is missing that the bank may have kept it.
        by_bank = part.left_minor * 50 <= part.invoice.outstanding_minor and not entry.charges
        yield Effect(
            "circle-half-2",
            _("%(number)s is paid in part") % {"number": part.invoice},
            (
                _("%(left)s stay open. Did the bank keep them? Then they are its charges.")
                if by_bank
                else _("%(left)s stay open")
            )
            % left,
            field="id_charges" if by_bank else "",
        )
    if (more := len(in_part) - NAMED) > 0:
        text = ngettext("%(n)s more is paid in part", "%(n)s more are paid in part", more)
        yield Effect("circle-half-2", text % {"n": grouped(more)})


def _kept(entry: Entry) -> Iterator[Effect]:
    if entry.left > 0:
        yield Effect(
            "wallet",
            _("%(rest)s are kept as unapplied cash")
            % {"rest": formatted_minor(entry.left, entry.currency)},
            _("It waits on the account and on the desk until it is put on an invoice or refunded."),
        )


def _charges(entry: Entry) -> Iterator[Effect]:
    if entry.charges:
        words = {
            "charges": formatted_minor(entry.charges, entry.currency),
            "paid": formatted_minor(entry.amount or 0, entry.currency),
        }
        yield Effect(
            "building-bank",
            _("%(charges)s are kept as bank charges") % words,
            _("The client has paid %(paid)s; what the bank kept is our cost.") % words,
        )


def _too_early(entry: Entry) -> Iterator[Effect]:
    """A value date before the invoice may be a prepayment, or a slip."""
    paid_on = entry.received_on
    early = [
        part.invoice
        for part in entry.parts
        if part.minor and paid_on and part.invoice.issue_date and part.invoice.issue_date > paid_on
    ]
    if early:
        yield Effect(
            "alert-triangle",
            _("The day is before %(numbers)s was issued")
            % {"numbers": ", ".join(str(invoice) for invoice in early[:NAMED])},
            _("Issued on %(day)s: check the day, or record it as a prepayment.")
            % {"day": dates.day(early[0].issue_date)},
            doubtful=True,
        )
