"""What a new portal still needs before it bills."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.models import Client, Company, Deal, Invoice


@dataclass(frozen=True)
class Step:
    title: str
    text: str
    icon: str
    url: str
    done: bool
    optional: bool = False


def first_steps(user: User, company: Company | None) -> list[Step]:
    """What a new portal still needs before it bills; empty as soon as all of it is done.

    Empty too for those who can do none of it.
    """
    if not (user.has_perm("invoices.bill_deal") or user.has_perm("accounts.change_company")):
        return []
    described = bool(company and company.name and company.address_line1 and company.siren)
    connected = Deal.objects.exists()
    billed = Invoice.objects.issued().filter(imported=False).exists()
    if described and connected and billed:
        return []
    return [
        Step(
            _("Describe your company"),
            _("Name, address, identifiers and bank details: they stand on every invoice."),
            "building",
            _allowed(user, "accounts.change_company", "accounts:settings"),
            described,
        ),
        Step(
            _("Connect Pipedrive"),
            _("Won deals arrive here with their lines, ready to bill."),
            "plug-connected",
            _allowed(user, "integrations.view_connection", "integrations:index"),
            connected,
        ),
        Step(
            _("Bring in your history"),
            _("Clients, open invoices and payments of the old system, from CSV or XLSX."),
            "database-import",
            _allowed(user, "invoices.import_history", "invoices:import_history"),
            Client.objects.exists() and Invoice.objects.filter(imported=True).exists(),
            optional=True,
        ),
        Step(
            _("Bill a deal"),
            _("One click drafts the invoice; nothing leaves before you issue and send it."),
            "file-invoice",
            _allowed(user, "invoices.bill_deal", "invoices:deals"),
            billed,
        ),
    ]


def _allowed(user: User, permission: str, name: str) -> str:
    return reverse(name) if user.has_perm(permission) else ""
