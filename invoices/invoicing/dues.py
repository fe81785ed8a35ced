"""What of an invoice is due when: whole on one day, or in instalments.

Instalments follow from terms of several steps (of the client, or chosen in the draft), or are typed
by hand. Until the invoice is issued they are worked out from its total and its issue date; then
they become rows, and those are what money settles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.dates import day as day_in_words
from billing_portal.money import formatted_minor
from invoices.documents.instalments import MOST_INSTALMENTS, Share, by_day, shared_out
from invoices.models import Instalment, Invoice, PaymentTerms
from invoices.models.terms import TermsKind, due_date

# A day, and what is due on it.
Planned = tuple[date, Share]
Due = tuple[date, int]


def planned(invoice: Invoice, issue_date: date) -> list[Planned]:
    """The steps of its instalments; none where it is due whole by plain terms."""
    if invoice.dues_typed:
        return [_read(stored) for stored in invoice.dues_typed]
    if invoice.terms is None:
        return []
    return steps_of(invoice.terms, issue_date)


def steps_of(terms: PaymentTerms, issue_date: date) -> list[Planned]:
    return [
        (due_date(issue_date, step.kind, step.days, step.months), step.percent)
        for step in terms.steps.all()
    ]


def dues_of(invoice: Invoice, issue_date: date) -> list[Due]:
    """Days and amounts in minor units, oldest first, that make the total; empty when due whole."""
    found = worked_out(invoice.total_minor, planned(invoice, issue_date))
    return found if len(found) > 1 else []


def worked_out(total_minor: int, steps: Iterable[Planned]) -> list[Due]:
    steps = list(steps)
    amounts = shared_out(total_minor, [share for _day, share in steps])
    return by_day((day, minor) for (day, _share), minor in zip(steps, amounts, strict=True))


def last_day(invoice: Invoice, issue_date: date) -> date | None:
    """The day of the last instalment; None where plain terms or a typed due date say it."""
    steps = planned(invoice, issue_date)
    if not steps:
        return None
    dues = worked_out(invoice.total_minor, steps)
    # Of a total of nothing nothing is due; the days are there all the same.
    return max(day for day, _what in dues or steps)


def kind_of(invoice: Invoice) -> str:
    """How its days are counted, for what the law allows: with an end of month, or from its date."""
    if invoice.terms is None or invoice.dues_typed:
        return invoice.terms_kind
    kinds = [step.kind for step in invoice.terms.steps.all()]
    return next((kind for kind in kinds if kind != TermsKind.NET), TermsKind.NET)


def problem(invoice: Invoice, issue_date: date) -> str:
    """Why these instalments cannot be issued, for staff; empty when they can."""
    steps = planned(invoice, issue_date)
    if not steps:
        return ""
    early = min(day for day, _share in steps)
    if early < issue_date:
        return _("The instalment of %(day)s is before the issue date.") % {
            "day": day_in_words(early)
        }
    amounts = shared_out(invoice.total_minor, [share for _day, share in steps])
    makes = sum(amounts)
    values = {
        "sum": formatted_minor(makes, invoice.currency),
        "total": formatted_minor(invoice.total_minor, invoice.currency),
        "rest": formatted_minor(abs(invoice.total_minor - makes), invoice.currency),
    }
    if makes < invoice.total_minor:
        return _("The instalments come to %(sum)s of %(total)s: %(rest)s are due on no day.") % (
            values
        )
    if makes > invoice.total_minor or min(amounts) < 0:
        return _("The instalments come to more than the total of %(total)s.") % values
    return ""


def made(invoice: Invoice) -> list[Instalment]:
    """The rows of an invoice about to be issued: dated, added up and locked by the caller."""
    assert invoice.issue_date is not None
    dues = dues_of(invoice, invoice.issue_date)
    return Instalment.objects.bulk_create(
        Instalment(
            invoice=invoice,
            position=position,
            due_date=day,
            amount_minor=minor,
            outstanding_minor=minor,
        )
        for position, (day, minor) in enumerate(dues, 1)
    )


# ─ Typed by hand: how a draft keeps them ────────────────────────────────────────────────────────
def stored(steps: Iterable[Planned]) -> list[dict[str, Any]]:
    """For `Invoice.dues_typed`; a share of what is left has neither amount nor percentage."""
    found: list[dict[str, Any]] = []
    for day, share in steps:
        one: dict[str, Any] = {"on": day.isoformat()}
        if isinstance(share, Decimal):
            one["percent"] = str(share)
        elif share is not None:
            one["minor"] = share
        found.append(one)
    return found[:MOST_INSTALMENTS]


def _read(kept: Mapping[str, Any]) -> Planned:
    share: Share = None
    if "percent" in kept:
        share = Decimal(kept["percent"])
    elif "minor" in kept:
        share = int(kept["minor"])
    return date.fromisoformat(kept["on"]), share
