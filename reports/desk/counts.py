"""How much waits behind each entry of the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.core.cache import cache
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from invoices.models import Company
from reports.alerts.inbox import waiting
from reports.alerts.permissions import may_see
from reports.desk.selections import mails, overdue, to_bill, unapplied
from reports.models import Alert

KEPT_SECONDS: Final = 20


@dataclass(frozen=True)
class SideCount:
    key: str
    n: int
    words: str
    needs: bool = False


def counts(user: User, on: date, *, anew: bool = False) -> list[SideCount]:
    """How much waits behind each entry of the sidebar; kept for some seconds, unless `anew`."""
    scope = "all" if sees_everything(user) else f"user-{user.pk}"
    key = f"desk-counts:{scope}:{user.role}:{on}"
    numbers: dict[str, int] | None = None if anew else cache.get(key)
    if numbers is None:
        numbers = _numbers(user, on)
        cache.set(key, numbers, KEPT_SECONDS)
    return [
        SideCount("deals", numbers["deals"], _("to bill")),
        SideCount("invoices", numbers["invoices"], _("overdue"), needs=True),
        *(
            [SideCount("payments", numbers["payments"], _("to apply"))]
            if "payments" in numbers
            else []
        ),
        *(
            [SideCount("mails", numbers["mails"], _("not sent"), needs=True)]
            if "mails" in numbers
            else []
        ),
        *([SideCount("alerts", numbers["alerts"], _("new"))] if "alerts" in numbers else []),
    ]


def _numbers(user: User, on: date) -> dict[str, int]:
    company = Company.ours()
    found = {
        "deals": to_bill(user, company).count(),
        "invoices": overdue(user, on)[0].count(),
    }
    if user.has_perm("invoices.view_payment"):
        found["payments"] = unapplied().count()
    if user.has_perm("invoices.view_mail"):
        found["mails"] = mails().count()
    if may_see(user):
        found["alerts"] = Alert.objects.visible_to(user).filter(waiting(on)).count()
    return found
