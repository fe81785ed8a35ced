"""Who may see alerts, handle them, and change the rules."""

from __future__ import annotations

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything

VIEW = "reports.view_alert"
HANDLE = "reports.handle_alert"
CHANGE = "reports.change_alertrule"


def may_see(user: User) -> bool:
    return sees_everything(user) and user.has_perm("reports.view_alert")
