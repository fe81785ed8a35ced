"""Who may see alerts, open what they are about, handle them, and see or change the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from invoices.models import Deal, Invoice
from reports.models import Alert

VIEW = "reports.view_alert"
HANDLE = "reports.handle_alert"
VIEW_RULES = "reports.view_alertrule"
CHANGE = "reports.change_alertrule"


def may_see(user: User) -> bool:
    """Sales see those about what is theirs: `Alert.objects.visible_to` says which."""
    return user.has_perm(VIEW)


def openable(alerts: Sequence[Alert], user: User) -> list[Alert]:
    """Those of which the reader may open the rows too; they come with these, saved or not.

    Whoever owns a client is told of its invoices that nobody owns, and does not open them.
    """
    if sees_everything(user):
        return list(alerts)
    invoices = _visible(Invoice.objects.visible_to(user), {a.invoice_id for a in alerts})
    deals = _visible(Deal.objects.visible_to(user), {a.deal_id for a in alerts})

    def opens(alert: Alert) -> bool:
        if alert.invoice_id:
            return alert.invoice_id in invoices
        if alert.deal_id:
            return alert.deal_id in deals
        # The list of invoices of the client shows the reader's own.
        return alert.client is not None and alert.client.owner_id == user.pk

    return [alert for alert in alerts if opens(alert)]


def _visible(rows: QuerySet[Any], keys: set[int | None]) -> set[int]:
    wanted = keys - {None}
    return set(rows.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
