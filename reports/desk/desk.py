"""What needs somebody now: the desk's tiles and its short lists.

Each figure is counted by the very rows that its link opens; the number of queries does not depend
on how many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from billing_portal.accounts.models import User
from invoices.models import Company, Deal, Invoice
from reports.desk import worklists
from reports.desk.books import broken_books
from reports.desk.first_steps import first_steps
from reports.desk.owed import receivables
from reports.desk.worklists import Section

# In the order of their tiles. Another list of what waits for a person is one more function here.
SECTIONS: tuple[Callable[[User, date], Section | None], ...] = (
    worklists.billing,
    worklists.quotes,
    worklists.drafts,
    worklists.subscriptions,
    worklists.unapplied,
    worklists.overdue,
    worklists.alerts,
    worklists.changed,
    worklists.mails,
)
# The longest lists first.
_PLACES = (
    "to_bill",
    "quotes",
    "overdue",
    "changed",
    "subscriptions",
    "mails",
    "unapplied",
    "drafts",
    "alerts",
)


def desk(user: User, on: date) -> dict[str, Any]:
    """Everything that the desk shows to this person."""
    company = Company.ours()
    sections = [section for make in SECTIONS if (section := make(user, on))]
    placed = sorted(
        sections,
        key=lambda section: (
            _PLACES.index(section.name) if section.name in _PLACES else len(_PLACES)
        ),
    )
    return {
        "tiles": [section.tile for section in sections],
        "left": [section for section in placed if section.side == "left"],
        "right": [section for section in placed if section.side == "right"],
        "books": broken_books(user),
        "bars": receivables(user, on),
        "company": company,
        "steps": first_steps(user, company),
        "blank": not Deal.objects.exists() and not Invoice.objects.exists(),
        "on": on,
        **{section.name: section.listed for section in sections},
    }
