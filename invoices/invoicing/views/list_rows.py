"""The rows of the list of invoices, written out for the reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from billing_portal.templatetags.portal import STATES, ct, ct_mark, state_html
from invoices.models import ClientType
from invoices.models.invoices import Standing

# A class name that no model attribute hides: rows come as dictionaries, which is twice as fast.
FIELDS = (
    "pk", "kind", "status", "number", "title", "currency", "issue_date", "due_date",
    "total_minor", "outstanding_minor", "days_late", "sent_at", "imported", "client_id",
    "client__name", "client__client_type__name", "client__client_type__mark",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One invoice, written out for the reader."""

    pk: int
    url: str
    name: str
    client: str
    # The client type's mark alone, and with its name.
    mark: SafeString
    type: SafeString
    issued: SafeString
    due: SafeString
    late: str
    late_words: str
    is_late: bool
    state: SafeString
    note: str
    total: str
    open: str
    open_minor: int
    currency: str


def list_rows(rows: Iterable[dict[str, Any]], day: date, query: str) -> list[Row]:
    """`day` is the as-of day: lateness of what is open counts up to it."""
    # Once for all rows: an address and the signs take as long as the rest of a row.
    before, after = reverse("invoices:detail", args=[0]).rsplit("0", 1)
    late_words = _("%(n)s days late")
    signs: dict[str, SafeString] = {}
    types: dict[str, tuple[SafeString, SafeString]] = {}
    written = []
    for row in rows:
        pk, currency = row["pk"], row["currency"]
        due = row["due_date"]
        open_minor = row.get("open_minor", row["outstanding_minor"])
        standing = Standing(
            row["kind"], row["status"], due, row["total_minor"], open_minor, row["sent_at"]
        )
        first, *others = standing.states(day)
        days = standing.days_overdue(day) or row["days_late"]
        name = row["client__client_type__name"]
        if name not in types:
            kind = ClientType(name=name, mark=row["client__client_type__mark"])
            types[name] = ct_mark(kind), ct(kind)
        late = "–" if days is None else grouped(days)
        if first not in signs:
            signs[first] = state_html(first)
        written.append(
            Row(
                pk=pk,
                url=f"{before}{pk}{after}{query}",
                name=row["number"] or row["title"] or _("Draft"),
                client=row["client__name"],
                mark=types[name][0],
                type=types[name][1],
                issued=dates.day_tag(row["issue_date"]),
                due=dates.day_tag(due),
                late=late,
                late_words=late_words % {"n": late},
                is_late=first == "overdue",
                state=signs[first],
                note=", ".join(
                    str(STATES[key][1]).lower() for key in others if key not in ("sent", "issued")
                ),
                total=formatted_minor(row["total_minor"], currency),
                open="–" if first in ("void", "draft") else formatted_minor(open_minor, currency),
                open_minor=open_minor,
                currency=currency,
            )
        )
    return written
