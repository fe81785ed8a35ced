"""A page of the table of roles, and those of accounts and of what goes in and out."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    permission: str | None
    args: tuple[object, ...] = ()
    post: bool = False
    open_to_all: bool = False


_SEND = "invoices.send_invoice"
_OF_BATCHES = {
    "invoices:batches": Page(_SEND),
    "invoices:batch": Page(_SEND, (0,)),
    "invoices:batch-new": Page(_SEND, post=True),
    "invoices:batch-progress": Page(_SEND, (0,)),
    "invoices:batch-resume": Page(_SEND, (0,), post=True),
    "invoices:batch-start": Page(_SEND, (0,), post=True),
    "invoices:batch-stop": Page(_SEND, (0,), post=True),
}
_CHANGE = "invoices.change_invoice"
_OF_ATTACHMENTS = {
    "invoices:attachment": Page("invoices.view_invoice", (0,)),
    "invoices:attachment-add": Page(_CHANGE, (0,), post=True),
    "invoices:attachment-remove": Page(_CHANGE, (0,), post=True),
    "invoices:attachment-show": Page(_CHANGE, (0,), post=True),
    "invoices:attachments": Page("invoices.view_invoice", (0,)),
    "invoices:quote-attachments": Page("invoices.view_invoice", (0,)),
    "invoices:quote-attachment-add": Page(_CHANGE, (0,), post=True),
    "invoices:release": Page(_CHANGE, (0,)),
    "invoices:standing-files": Page("accounts.change_company"),
    "invoices:standing-file": Page("accounts.change_company", (0,)),
    "invoices:standing-file-remove": Page("accounts.change_company", (0,), post=True),
    "invoices:copy": Page(_CHANGE, (0,), post=True),
    "invoices:guest-file": Page(None, ("x", 0), open_to_all=True),
}
OF_ACCOUNTS = {
    **_OF_BATCHES,
    **_OF_ATTACHMENTS,
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
    "invoices:price-indexes": Page("invoices.change_subscription"),
    "invoices:price-index-remove": Page("invoices.change_subscription", (0,), post=True),
    "invoices:subscription-index": Page("invoices.change_subscription", (0,)),
    "invoices:subscription-index-stop": Page("invoices.change_subscription", (0,), post=True),
    "invoices:rebate": Page("invoices.add_creditnote", (0,)),
    "invoices:rebate-chosen": Page("invoices.add_creditnote", post=True),
    "invoices:rebate-totals": Page("invoices.add_creditnote", (0,), post=True),
    "invoices:history_export": Page("invoices.export", ("clients", "csv")),
    "invoices:history_leave_out": Page("invoices.import_history", (0,), post=True),
    "invoices:archives": Page("invoices.change_accounts"),
    "invoices:archive-make": Page("invoices.change_accounts", post=True),
    "invoices:archive-progress": Page("invoices.change_accounts"),
    "invoices:archive-file": Page("invoices.change_accounts", (0,)),
    "invoices:history_left_out": Page("invoices.import_history", (0, "clients")),
}
