"""An invoice is overdue.

Holds while days past the due date > `days` and what is overdue on that day > `amount_minor` in the
company's currency. Of several instalments the oldest open one says for how long.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.money import formatted_minor
from invoices.models import Invoice
from reports.alerts.kinds.amounts import OwnMoney, no_rate_text
from reports.alerts.kinds.base import Episode, Kind, Subjects, Words, days_text, in_parts
from reports.alerts.reading import (
    Condition,
    OwedDue,
    dues_of,
    late_invoices,
    what_was_late_is_settled,
    worth_more,
)
from reports.models import Alert, AlertRule


class Overdue(Kind):
    key = "overdue"
    icon = "clock-exclamation"
    place = 1
    subject = "invoice"
    defaults = {"days": 30, "amount_minor": 1000_00, "cooldown_days": 30}

    @property
    def label(self) -> str:
        return _("An invoice is overdue")

    @property
    def hint(self) -> str:
        return _("By more than some days, and above an amount if you like.")

    @property
    def watches(self) -> str:
        return _("every invoice that is open past its due date")

    @property
    def when(self) -> str:
        return _(
            "it is overdue by more than {days} days and more than {amount} {currency} of it is open"
        )

    def episodes(
        self, rule: AlertRule, since: date, until: date, only: Subjects = None
    ) -> list[Episode]:
        return _overdue(rule, since, until, only)

    def words(self, alert: Alert) -> Words:
        data, invoice = alert.data, alert.invoice
        assert invoice is not None
        title = _("%(client)s owes %(amount)s, %(days)s late") % {
            "client": invoice.client.name,
            "amount": formatted_minor(data["owed_minor"], data["currency"]),
            "days": days_text(data["days"]),
        }
        detail = _("%(number)s was due on %(due)s.") % {
            "number": invoice.number,
            # Of several instalments the oldest that was open then.
            "due": dates.day(alert.fired_on - timedelta(days=data["days"])),
        }
        note = ""
        if invoice.settled_on:
            note = _("Settled since, on %(day)s.") % {"day": dates.day(invoice.settled_on)}
        elif invoice.outstanding_minor != data["owed_minor"]:
            open_now = formatted_minor(invoice.outstanding_minor, invoice.currency)
            note = _("Today %(amount)s of it is open.") % {"amount": open_now}
        return Words(
            title, detail + no_rate_text(data), reverse("invoices:detail", args=[invoice.pk]), note
        )

    def over(self) -> Condition:
        return what_was_late_is_settled()

    def in_words(self, rule: AlertRule, currency: str) -> str:
        words = {
            "days": days_text(rule.days),
            "amount": formatted_minor(rule.amount_minor, currency),
        }
        if rule.amount_minor:
            return (
                _("An invoice with over %(amount)s open is overdue by more than %(days)s.") % words
            )
        return _("An invoice is overdue by more than %(days)s.") % words

    def name(self, rule: AlertRule, currency: str) -> str:
        words = {
            "days": days_text(rule.days),
            "amount": formatted_minor(rule.amount_minor, currency),
        }
        if rule.amount_minor:
            return _("More than %(days)s late and above %(amount)s") % words
        return _("More than %(days)s late") % words

    def formula(self, rule: AlertRule) -> str:
        return _(
            "Day − due date > %(days)s, by the balance of that day. Foreign amounts at the rate of "
            "the invoice date."
        ) % {"days": rule.days}

    def clients(self, subjects: Collection[int]) -> Mapping[int, int | None]:
        return dict(in_parts(Invoice.objects, subjects, "pk", "client_id"))


def _overdue(rule: AlertRule, since: date, until: date, only: Subjects) -> list[Episode]:
    own = OwnMoney()
    late = worth_more(
        late_invoices(since, until, rule.days), "total_minor", rule.amount_minor, own.currency
    )
    if only is not None:
        late = late.filter(pk__in=only)
    dues = dues_of(late)
    found: list[Episode] = []
    rows = late.values_list("pk", "currency", "exchange_rate", "issue_date")
    for pk, currency, stored, issued in rows.iterator():
        rate = own.rate(currency, stored, issued)
        parts = dues[pk]

        def figures(
            on: date,
            parts: list[OwedDue] = parts,
            currency: str = currency,
            rate: Decimal | None = rate,
        ) -> dict[str, Any]:
            owed, days = _owed(parts, on)
            return {
                "days": days,
                "owed_minor": owed,
                "currency": currency,
                "weight": own.minor(owed, currency, rate),
                **({} if rate else {"no_rate": True}),
            }

        def holds(
            day: date,
            parts: list[OwedDue] = parts,
            currency: str = currency,
            rate: Decimal | None = rate,
        ) -> bool:
            owed, days = _owed(parts, day)
            return days > rule.days and own.minor(owed, currency, rate) > rule.amount_minor

        for first, end in _spans(parts, rule.days, holds):
            if first <= until and (end is None or end > since):
                found.append(Episode(pk, first, end, figures))
    return found


def _owed(parts: list[OwedDue], on: date) -> tuple[int, int]:
    """What is overdue on a day, in minor units, and for how many days the oldest of it."""
    late = [(part.due, owed) for part in parts if part.due < on and (owed := part.open_on(on))]
    if not late:
        return 0, 0
    return sum(owed for _due, owed in late), (on - min(due for due, _owed in late)).days


def _spans(
    parts: list[OwedDue], days: int, holds: Callable[[date], bool]
) -> list[tuple[date, date | None]]:
    """The spans in which it holds: it changes on no other day than those looked at."""
    changes: set[date] = set()
    for part in parts:
        start = part.due + timedelta(days=days + 1)
        changes |= {part.due + timedelta(days=1), start, *(day for day, _amount in part.steps)}
        changes |= {part.settled_on} if part.settled_on else set()
    found: list[tuple[date, date | None]] = []
    since: date | None = None
    for day in sorted(changes):
        if holds(day):
            since = since or day
        elif since is not None:
            found.append((since, day))
            since = None
    if since is not None:
        found.append((since, None))
    return found


KIND = Overdue()
