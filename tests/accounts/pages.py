"""A page of the table of roles, and those of accounts and of what goes in and out."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    permission: str | None
    args: tuple[object, ...] = ()
    post: bool = False
    open_to_all: bool = False


OF_ACCOUNTS = {
    "invoices:catalogue": Page("invoices.view_catalogue"),
    "invoices:item": Page("invoices.view_catalogue", (0,)),
    "invoices:item-archive": Page("invoices.change_catalogue", (0,), post=True),
    "invoices:item-choices": Page("invoices.view_catalogue", (0,)),
    "invoices:item-edit": Page("invoices.change_catalogue", (0,)),
    "invoices:item-give-back": Page("invoices.change_catalogue", (0,), post=True),
    "invoices:item-new": Page("invoices.change_catalogue"),
    "invoices:account-letter": Page("invoices.view_client", (0,)),
    "invoices:late-claim": Page("invoices.send_invoice", (0,)),
    "invoices:late-claim-withdraw": Page("invoices.send_invoice", (0,)),
    "invoices:receipt": Page("invoices.view_payment", (0,)),
    "invoices:receipt-send": Page("invoices.send_invoice", (0,)),
    "invoices:statement": Page("invoices.view_client", (0,)),
    "invoices:statement-pdf": Page("invoices.view_client", (0,)),
    "invoices:statement-send": Page("invoices.send_invoice", (0,)),
    "invoices:statement-xlsx": Page("invoices.export", (0,)),
    "invoices:history_export": Page("invoices.export", ("clients", "csv")),
    "invoices:history_leave_out": Page("invoices.import_history", (0,), post=True),
    "invoices:history_left_out": Page("invoices.import_history", (0, "clients")),
}
