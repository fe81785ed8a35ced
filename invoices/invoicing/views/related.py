"""What an invoice has to do with others, and what a credit note can be used for."""

from __future__ import annotations

from typing import Any

from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.money import from_minor
from invoices.models import Client, DepositDeduction, Invoice, Rebate

# So many open invoices are offered to set a credit note against; the list has the others.
MOST_OFFERED = 3


def related(invoice: Invoice) -> dict[str, Any]:
    """The deposits that it deducts, or what deducts it; what it replaces, or what replaces it."""
    found: dict[str, Any] = {}
    rows = DepositDeduction.objects.select_related("deposit", "invoice")
    if invoice.is_final:
        found["deductions"] = list(rows.filter(invoice=invoice).order_by("pk"))
    if invoice.is_deposit:
        found["final"] = rows.filter(deposit=invoice, released=False).first()
    if invoice.is_credit_note and (rebate := Rebate.objects.filter(note=invoice).first()):
        found["rebate"], found["credited"] = rebate, _credited(invoice)
    if invoice.is_issued and not invoice.is_credit_note:
        replacing = invoice.replaced_by.exclude(status=Invoice.Status.VOID)
        found["replaced_by"] = replacing.first()
    return found


def _credited(note: Invoice) -> list[tuple[Invoice, Money]]:
    """The invoices that a rebate takes something off, and how much with VAT."""
    taken: dict[Invoice, int] = {}
    for row in note.credit_shares.select_related("invoice").defer("invoice__paper"):
        taken[row.invoice] = taken.get(row.invoice, 0) + row.total_minor
    return [(invoice, from_minor(minor, note.currency)) for invoice, minor in taken.items()]


def use_of_credit(note: Invoice, user: User) -> dict[str, Any]:
    """The open invoices that the rest of a credit note may settle, and whether it may go back."""
    if not note.is_issued or not note.outstanding_minor:
        return {}
    found: dict[str, Any] = {"refund": user.has_perm("invoices.add_refund")}
    if user.has_perm("invoices.add_payment"):
        account = Client.objects.account_of(note.client_id)
        owed = Invoice.objects.outstanding().filter(client__in=account, currency=note.currency)
        found["set_against"] = list(owed.order_by("next_due", "pk")[:MOST_OFFERED])
    return found
