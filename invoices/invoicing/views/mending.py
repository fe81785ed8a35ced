"""Where what is missing is mended: from a sentence to the place, and back to the draft."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.urls import reverse

from billing_portal.accounts.models import User
from invoices.invoicing.reasons import Reason
from invoices.models import Invoice


def linked(reasons: Sequence[Reason], invoice: Invoice, reader: User) -> list[tuple[str, str]]:
    """Each sentence with the place where it is mended."""
    return [(reason.text, link_of(reason, invoice, reader)) for reason in reasons]


def link_of(reason: Reason, invoice: Invoice, reader: User) -> str:
    """The link that mends what is missing, and leads back to the draft.

    Empty where it is for others to mend: finance reads that the company lacks its IBAN.
    """
    if reason.anchor in ("company", "rates", "books", "numbers") and not reader.has_perm(
        "accounts.change_company"
    ):
        return ""
    back = "?" + urlencode({"next": reverse("invoices:edit", args=[invoice.pk])})
    if reason.anchor == "client":
        return reverse("invoices:client-edit", args=[invoice.client_id]) + back
    if reason.anchor == "vat_check":
        return reverse("invoices:client", args=[invoice.client_id]) + "#vat-check"
    if reason.anchor == "company":
        return reverse("company:details") + back
    if reason.anchor == "rates":
        return reverse("company:rates") + back
    if reason.anchor == "books":
        return reverse("company:books") + back
    if reason.anchor == "numbers":
        return reverse("company:numbers")
    if reason.anchor == "deal":
        return reverse("invoices:deal-change", args=[invoice.pk])
    return reason.anchor


_PAGES = ("client", "vat_check", "company", "rates", "books", "numbers", "deal")


def place_of(reason: Reason, invoice: Invoice, reader: User, edit_url: str) -> str:
    """The link from elsewhere: a field of the draft is in the editor at `edit_url`."""
    if reason.anchor in _PAGES:
        return link_of(reason, invoice, reader)
    return f"{edit_url}{reason.anchor}" if reason.anchor else ""
