"""A new draft that says what another document says: the same lines, for the same client.

Not copied are what made that document itself: its number, its days (issue, due, service), its deal,
its payments, and the deposits that it took off. The VAT of the lines comes as it was; where it does
not follow any more, because the client moved or a rate ended, the new draft names the reason as any
draft does.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.recipients import client_recipients
from invoices.documents.totals import TotalsRefused, compute
from invoices.invoicing import drafting
from invoices.invoicing.deposits import as_draft_line
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Invoice
from invoices.models.supplied import SUPPLIED

_COPIED: Final = (
    *("owner_id", "title", "language", "currency", "terms_kind", "terms_days", "terms_id"),
    *("purchase_order", "note", "adjustments", "retention_percent"),
    *SUPPLIED,
)


def refusal(source: Invoice) -> str:
    """Why there is nothing to copy; empty when there is."""
    if source.is_credit_note:
        return _(
            "A credit note is not copied: it takes a certain invoice back. Make one from the "
            "invoice that it shall credit."
        )
    if source.is_deposit:
        return _(
            "A deposit invoice is not copied: ask for the next deposit where this one was asked."
        )
    if not source.typed_lines.exists():
        return _("There is no line to copy.")
    return ""


def copy(*, invoice_id: int, by: User | None, on: date) -> Invoice:
    """The draft of a copy, also of one that was discarded. Raises DraftRefused."""
    with transaction.atomic():
        source = Invoice.objects.filter(pk=invoice_id).select_related("client__merged_into").first()
        if source is None:
            raise DraftRefused(_("This invoice is no longer here."))
        if text := refusal(source):
            raise DraftRefused(text)
        client = source.client.merged_into or source.client
        lines = [as_draft_line(line) for line in source.typed_lines]
        try:
            totals = compute([line.amounts for line in lines], currency=source.currency)
        except TotalsRefused as found:
            raise DraftRefused(str(found)) from None
        same = client.pk == source.client_id
        return drafting.draft(
            client=client,
            lines=lines,
            totals=totals,
            by=by,
            on=on,
            told={"copied_id": source.pk, "copied": source.number or source.title},
            recipients=list(source.recipients) if same else client_recipients(client),
            **{name: getattr(source, name) for name in _COPIED},
        )
