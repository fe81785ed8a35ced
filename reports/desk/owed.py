"""What is owed, as one bar per currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.models import Invoice
from invoices.models.dues import by_instalment
from invoices.selections.ageing import BUCKETS_DUE, bucket_condition
from invoices.selections.filters import InvoiceFilter
from reports.links import invoice_list


@dataclass(frozen=True)
class Part:
    """A piece of the receivables bar, in percent of its width."""

    label: str
    amount: str
    url: str
    fill: int
    x: str
    width: str


@dataclass(frozen=True)
class Bar:
    currency: str
    total: str
    parts: list[Part]
    url: str


def receivables(user: User, on: date) -> list[Bar]:
    """What is owed per currency, by days past the due date; the largest currency first."""
    owed, columns = by_instalment(Invoice.objects.outstanding().visible_to(user))
    buckets = {
        f"b{place}": Sum(columns.open, filter=bucket_condition(columns.due_while_open, ends, on))
        for place, ends in enumerate(BUCKETS_DUE.values())
    }
    rows: list[Any] = list(
        owed.order_by().values("currency").annotate(owed=Sum(columns.open), **buckets)
    )
    return [
        _bar(row["currency"], row["owed"], [row[name] or 0 for name in buckets])
        for row in sorted(rows, key=lambda row: (-row["owed"], row["currency"]))
    ]


def _bar(currency: str, total: int, amounts: list[int]) -> Bar:
    labels = [_("Not due"), _("1–30 days"), _("31–60"), _("61–90"), _("Over 90")]
    shown = [amount for amount in amounts if amount]
    # A gap of a quarter percent between the pieces, and no piece too thin to be seen.
    room = 100 - 0.25 * (len(shown) - 1)
    least = 0.4
    rest = room - least * len(shown)
    parts, x = [], 0.0
    for place, (key, amount) in enumerate(zip(BUCKETS_DUE, amounts, strict=True)):
        width = least + rest * amount / total if amount else 0.0
        parts.append(
            Part(
                labels[place],
                formatted_minor(amount, currency) if amount else "–",
                invoice_list(InvoiceFilter(state="open", currency=currency, bucket=key)),
                place + 1,
                f"{x:.2f}%",
                f"{width:.2f}%" if amount else "",
            )
        )
        x += width + 0.25 if amount else 0
    return Bar(
        currency,
        formatted_minor(total, currency),
        parts,
        invoice_list(InvoiceFilter(state="open", currency=currency)),
    )
