"""A won deal is not invoiced.

Subject: a won deal of the billing queue. Holds while more than `days` have passed since it was won,
its value is above `amount_minor`, and no draft, no invoice and no decision to set it aside was
made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.money import formatted_minor
from invoices.models import Deal
from reports.alerts.kinds.amounts import OwnMoney, no_rate_text
from reports.alerts.kinds.base import Episode, Kind, Subjects, Words, days_text, in_parts
from reports.alerts.reading import (
    Condition,
    deal_is_seen_to,
    what_became,
    won_and_not_billed,
    worth_more,
)
from reports.models import Alert, AlertRule


class NotInvoiced(Kind):
    key = "not_invoiced"
    icon = "briefcase"
    place = 4
    subject = "deal"
    defaults = {"days": 7, "cooldown_days": 14}

    @property
    def label(self) -> str:
        return _("A won deal is not invoiced")

    @property
    def hint(self) -> str:
        return _("Some days after it was won, no draft and no invoice exist.")

    @property
    def watches(self) -> str:
        return _("every won deal of the billing queue")

    @property
    def when(self) -> str:
        return _(
            "it has neither draft nor invoice more than {days} days after it was won, and is worth "
            "more than {amount} {currency}"
        )

    def episodes(
        self, rule: AlertRule, since: date, until: date, only: Subjects = None
    ) -> list[Episode]:
        return _not_invoiced(rule, since, until, only)

    def words(self, alert: Alert) -> Words:
        data, deal = alert.data, alert.deal
        assert deal is not None
        title = _("%(deal)s was won %(days)s ago and is not invoiced") % {
            "deal": deal.title,
            "days": days_text(data["days"]),
        }
        amount = formatted_minor(data["value_minor"], data["currency"])
        won = dates.day(alert.fired_on - timedelta(days=data["days"]))
        if deal.client is None:
            detail = _("%(amount)s, won on %(won)s, no client.") % {"amount": amount, "won": won}
        else:
            detail = _("%(client)s, %(amount)s, won on %(won)s.") % {
                "client": deal.client.name,
                "amount": amount,
                "won": won,
            }
        return Words(
            title, detail + no_rate_text(data), reverse("invoices:deal", args=[deal.pk]), ""
        )

    def over(self) -> Condition:
        return deal_is_seen_to()

    def in_words(self, rule: AlertRule, currency: str) -> str:
        words = {
            "days": days_text(rule.days),
            "amount": formatted_minor(rule.amount_minor, currency),
        }
        if rule.amount_minor:
            return _("A deal over %(amount)s is not invoiced within %(days)s.") % words
        return _("A won deal is not invoiced within %(days)s.") % words

    def name(self, rule: AlertRule, currency: str) -> str:
        return _("Won and not invoiced after %(days)s days") % {"days": rule.days}

    def formula(self, rule: AlertRule) -> str:
        return _(
            "Day − day won > %(days)s, while no draft and no invoice exist and the deal is not set "
            "aside."
        ) % {"days": rule.days}

    def clients(self, subjects: Collection[int]) -> Mapping[int, int | None]:
        return dict(in_parts(Deal.objects, subjects, "pk", "client_id"))


def _not_invoiced(rule: AlertRule, since: date, until: date, only: Subjects) -> list[Episode]:
    own = OwnMoney()
    deals = worth_more(
        won_and_not_billed(since, until, rule.days), "value_minor", rule.amount_minor, own.currency
    )
    if only is not None:
        deals = deals.filter(pk__in=only)
    found: list[Episode] = []
    for pk, won, currency, value, set_aside, issued, drafted in what_became(deals):
        rate = own.rate(currency, None, won)
        weight = own.minor(value, currency, rate)
        if weight <= rule.amount_minor:
            continue
        ends = [timezone.localdate(moment) for moment in (set_aside, drafted) if moment]
        end = min([*ends, *([issued] if issued else [])], default=None)
        start = won + timedelta(days=rule.days + 1)
        if start > until or (end is not None and end <= max(start, since)):
            continue

        def figures(
            on: date,
            won: date = won,
            value: int = value,
            currency: str = currency,
            weight: int = weight,
            rate: Decimal | None = rate,
        ) -> dict[str, Any]:
            return {
                "days": (on - won).days,
                "value_minor": value,
                "currency": currency,
                "weight": weight,
                **({} if rate else {"no_rate": True}),
            }

        found.append(Episode(pk, start, end, figures))
    return found


KIND = NotInvoiced()
