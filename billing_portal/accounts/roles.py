"""What each role may do: the one place where permissions are granted.

A view names its permission with `permission_required("app.word", raise_exception=True)`;
tests/accounts/test_roles.py holds the matrix of roles × pages.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from billing_portal.accounts.models import User

_READ = {
    "invoices.view_deal",
    "invoices.view_invoice",
    "invoices.view_quote",
    "invoices.view_subscription",
    "invoices.view_catalogue",
    "reports.view_desk",
    "reports.view_alert",
}
_READ_ALL = {
    "invoices.view_client",
    "invoices.view_payment",
    "invoices.view_mail",
    "invoices.export",
    "reports.view_reports",
    "reports.view_alertrule",
}
_FINANCE = {
    "invoices.bill_deal",
    "invoices.change_invoice",
    "invoices.change_quote",
    "invoices.change_subscription",
    "invoices.issue_invoice",
    "invoices.send_invoice",
    "invoices.add_payment",
    "invoices.reverse_payment",
    "invoices.add_refund",
    "invoices.add_creditnote",
    "invoices.change_client",
    "invoices.change_catalogue",
    "invoices.import_history",
    "invoices.change_accounts",
    "invoices.change_wording",
    "reports.change_alertrule",
    "reports.handle_alert",
    "integrations.view_connection",
    "integrations.run_sync",
}
_ADMINISTRATION = {
    "accounts.manage_people",
    "accounts.change_company",
    "invoices.decide_vat",
    "integrations.change_connection",
}

GRANTS: dict[str, frozenset[str]] = {
    User.Role.SALES: frozenset(_READ),
    User.Role.MANAGER: frozenset(_READ | _READ_ALL),
    User.Role.FINANCE: frozenset(_READ | _READ_ALL | _FINANCE),
    User.Role.ADMINISTRATOR: frozenset(_READ | _READ_ALL | _FINANCE | _ADMINISTRATION),
}


def sees_everything(user: User) -> bool:
    """Sales read only the deals and invoices that they own, and the alerts about these."""
    return user.role != User.Role.SALES


class RoleBackend(BaseBackend):
    """Grants by role; signing in is allauth's."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id).first()

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Raises PermissionDenied: no later backend is asked, which would read its own tables."""
        if user_obj.is_active and perm in GRANTS.get(getattr(user_obj, "role", ""), ()):
            return True
        raise PermissionDenied
