"""What the table of pages says of one; and the pages of looks and of texts of mails."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    permission: str | None
    args: tuple[object, ...] = ()
    post: bool = False
    open_to_all: bool = False


_TEXT = ("invoice", "fr")
OF_DOCUMENTS = {
    # The platform calls it, and shows a secret.
    "integrations:platform-hook": Page(None, post=True, open_to_all=True),
    "company:documents": Page("accounts.change_company"),
    "company:documents-preview": Page("accounts.change_company", post=True),
    "invoices:page-preview": Page("invoices.change_invoice", (0,), post=True),
    "company:sales-terms": Page("accounts.change_company"),
    "company:sales-terms-file": Page("invoices.view_quote", (0,)),
    "company:sales-terms-stop": Page("accounts.change_company", ("fr",), post=True),
    "invoices:guest-terms": Page(None, ("x",), open_to_all=True),
    "invoices:quote-page-preview": Page("invoices.change_quote", (0,), post=True),
    "invoices:wordings": Page("invoices.change_wording"),
    "invoices:wording": Page("invoices.change_wording", _TEXT),
    "invoices:wording-preview": Page("invoices.change_wording", _TEXT, post=True),
    "invoices:wording-standard": Page("invoices.change_wording", _TEXT, post=True),
    "invoices:wording-test": Page("invoices.change_wording", _TEXT, post=True),
}
