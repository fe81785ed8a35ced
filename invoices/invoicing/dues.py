"""What of an invoice is due when: whole on one day, or in instalments.

Instalments follow from terms of several steps (of the client, or chosen in the draft), or are typed
by hand. Until the invoice is issued they are worked out from its total and its issue date; then
they become rows, and those are what money settles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.dates import day as day_in_words
from billing_portal.figures import percent
from billing_portal.money import formatted_minor
from invoices.documents.instalments import MOST_INSTALMENTS, Share, by_day, shared_out
from invoices.documents.paper import PaperInstalment
from invoices.documents.totals import round_half_up
from invoices.models import Instalment, Invoice, PaymentTerms
from invoices.models.terms import TermsKind, due_date, months_later

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
    """Days and amounts in minor units, oldest first, that make the total; empty when due whole.

    What is held back is the last of them (`retained_minor`).
    """
    held = retained_minor(invoice)
    found = worked_out(invoice.total_minor - held, _of_the_rest(invoice, issue_date, held))
    if held:
        found.append((release_day(invoice, issue_date), held))
    return found if len(found) > 1 else []


def _of_the_rest(invoice: Invoice, issue_date: date, held: int) -> list[Planned]:
    steps = planned(invoice, issue_date)
    return [(plain_day(invoice, issue_date), None)] if held and not steps else steps


# ─ Retention ────────────────────────────────────────────────────────────────────────────────────
# Law 71-584 of 16 July 1971, article 1: at most so much of the amount with VAT, and (article 2) for
# one year from the acceptance of the work.
MOST_RETAINED = Decimal(5)


def retained_minor(invoice: Invoice) -> int:
    """What the client holds back of the total with VAT, in minor units."""
    if not invoice.retention_percent or invoice.total_minor <= 0:
        return 0
    return round_half_up(Fraction(invoice.total_minor) * Fraction(invoice.retention_percent) / 100)


def release_day(invoice: Invoice, issue_date: date) -> date:
    """Typed, or a year after the service ends, or after the issue."""
    if invoice.retention_on:
        return invoice.retention_on
    since = invoice.service_until or invoice.service_from or issue_date
    return months_later(since, 12)


def on_paper(invoice: Invoice, parts: Sequence[Due]) -> dict[str, Any]:
    """The fields of a Paper that say them."""
    held = len(parts) if retained_minor(invoice) else 0
    return {
        "retention_percent": Decimal(invoice.retention_percent) if held else Decimal(0),
        "instalments": tuple(
            PaperInstalment(due_date=day, amount_minor=minor, is_retention=place == held)
            for place, (day, minor) in enumerate(parts, 1)
        ),
    }


def retention_problem(invoice: Invoice, issue_date: date) -> str:
    if not retained_minor(invoice):
        return ""
    if Decimal(invoice.retention_percent) > MOST_RETAINED:
        return _(
            "The retention is %(percent)s: the law allows 5 %% at most of the amount with VAT (law "
            "71-584 of 16 July 1971, article 1)."
        ) % {"percent": percent(Decimal(invoice.retention_percent))}
    days = [day for day, _share in _of_the_rest(invoice, issue_date, 1)]
    if release_day(invoice, issue_date) <= max(days):
        return _(
            "The retention is released on %(day)s: that has to be after the day on which the rest "
            "is due."
        ) % {"day": day_in_words(release_day(invoice, issue_date))}
    return ""


def plain_day(invoice: Invoice, issue_date: date) -> date:
    """Of an invoice without instalments: what somebody typed, or by its terms."""
    if invoice.due_date_typed and invoice.due_date:
        return invoice.due_date
    return due_date(issue_date, invoice.terms_kind, invoice.terms_days)


def last_day_of_rest(invoice: Invoice, issue_date: date) -> date:
    """The day that the law on payment terms looks at (C. com. L441-10): not that of a release."""
    return max(day for day, _share in _of_the_rest(invoice, issue_date, 1))


def worked_out(total_minor: int, steps: Iterable[Planned]) -> list[Due]:
    steps = list(steps)
    amounts = shared_out(total_minor, [share for _day, share in steps])
    return by_day((day, minor) for (day, _share), minor in zip(steps, amounts, strict=True))


def last_day(invoice: Invoice, issue_date: date) -> date | None:
    """The day of the last instalment; None where plain terms or a typed due date say it."""
    steps = planned(invoice, issue_date)
    if retained_minor(invoice):
        return max(day for day, _minor in dues_of(invoice, issue_date))
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
    if text := retention_problem(invoice, issue_date):
        return text
    steps = planned(invoice, issue_date)
    if not steps:
        return ""
    # What is held back is due beside them.
    total = invoice.total_minor - retained_minor(invoice)
    early = min(day for day, _share in steps)
    if early < issue_date:
        return _("The instalment of %(day)s is before the issue date.") % {
            "day": day_in_words(early)
        }
    amounts = shared_out(total, [share for _day, share in steps])
    makes = sum(amounts)
    values = {
        "sum": formatted_minor(makes, invoice.currency),
        "total": formatted_minor(total, invoice.currency),
        "rest": formatted_minor(abs(total - makes), invoice.currency),
    }
    if makes < total:
        return _("The instalments come to %(sum)s of %(total)s: %(rest)s are due on no day.") % (
            values
        )
    if makes > total or min(amounts) < 0:
        return _("The instalments come to more than the total of %(total)s.") % values
    return ""


def made(invoice: Invoice) -> list[Instalment]:
    """The rows of an invoice about to be issued: dated, added up and locked by the caller."""
    assert invoice.issue_date is not None
    dues = dues_of(invoice, invoice.issue_date)
    held = len(dues) if retained_minor(invoice) else 0
    if held:
        invoice.retention_on = dues[-1][0]
    return Instalment.objects.bulk_create(
        Instalment(
            invoice=invoice,
            position=position,
            said_due=day,
            due_date=day,
            amount_minor=minor,
            outstanding_minor=minor,
            is_retention=position == held,
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
