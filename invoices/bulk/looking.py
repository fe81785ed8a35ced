"""What would happen to each document of a batch: the reasons against it, and to whom it goes.

A look changes no document. What it found is kept with the item: the reasons why it is left out, and
the digest of what was shown of it, so that what is done later is what a person saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from invoices.clients.recipients import address_problem, client_recipients
from invoices.clients.routes import route_of_client
from invoices.invoicing.confirming import draft_shown
from invoices.invoicing.far_dates import far_dates
from invoices.invoicing.freezing import reasons_of_einvoice
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.invoicing.reasons import Reason
from invoices.invoicing.sending import KIND
from invoices.models import Batch, BatchItem, Company, Invoice

State = BatchItem.State
CHUNK = 50


def look_through(batch: Batch) -> Batch:
    """Look at what was not looked at yet; when all is, the batch waits for a person's word.

    Cut short, it goes on where it was.
    """
    with translation.override(batch.created_by.language):
        while found := list(
            batch.items.filter(state=State.NEW)
            .select_related("invoice__client__client_type", "invoice__issued_by")
            .select_related("invoice__replaces")
            .prefetch_related("invoice__lines")
            .annotate(mails=Count("invoice__messages", filter=Q(invoice__messages__kind=KIND)))
            .order_by("position")[:CHUNK]
        ):
            company = Company.ours()
            for item in found:
                _look_at(item, batch, company)
    Batch.objects.filter(pk=batch.pk, state=Batch.State.LOOKING).update(
        state=Batch.State.READY, looked_at=timezone.now()
    )
    batch.refresh_from_db()
    return batch


def _look_at(item: BatchItem, batch: Batch, company: Company | None) -> None:
    invoice = item.invoice
    item.way = route_of_client(invoice.client, company).way
    item.mails_seen = getattr(item, "mails", 0)
    warnings: list[Reason] = []
    if batch.issues:
        reasons = reasons_against_issuing(invoice, batch, company)
        item.recipients = list(invoice.recipients) if batch.sends else []
        if not reasons:
            warnings = warnings_before_issue(invoice, batch.on, company=company)
            if not batch.sends:
                warnings = [each for each in warnings if each.field != "recipients"]
            item.shown = digest_of(invoice, batch.on)
    else:
        reasons = reasons_against_sending(invoice)
        item.recipients = list(invoice.recipients) or client_recipients(invoice.client)
        if not reasons and not item.recipients:
            text = _("No address to send it to: give the client a billing email.")
            reasons = [Reason("recipients", text, "client")]
        elif not reasons and (wrong := address_problem(item.recipients)):
            reasons = [Reason("recipients", wrong, "client")]
        if not reasons and invoice.sent_at is not None:
            warnings = [Reason("sent", _("It was sent before: it goes out once more."), "")]
    item.reasons, item.warnings = kept(reasons), kept(warnings)
    # Only from NEW: a batch that two workers look through says the same twice.
    BatchItem.objects.filter(pk=item.pk, state=State.NEW).update(
        state=State.LEFT_OUT if reasons else State.WAITING,
        way=item.way,
        recipients=item.recipients,
        mails_seen=item.mails_seen,
        shown=item.shown,
        reasons=item.reasons,
        warnings=item.warnings,
    )


def reasons_against_issuing(
    invoice: Invoice, batch: Batch, company: Company | None
) -> list[Reason]:
    reasons = reasons_not_to_issue(invoice, batch.on, sending=batch.sends, company=company)
    if not reasons and far_dates(invoice, batch.on).questions:
        # A question is answered for one document, on its own page.
        text = _("One of its days is a year or more from today: issue it by itself.")
        reasons = [Reason("issue_date", text, "#id_issue_date")]
    if not reasons and company is not None:
        reasons = reasons_of_einvoice(invoice, company, batch.on)
    return reasons


def reasons_against_sending(invoice: Invoice) -> list[Reason]:
    if invoice.status == Invoice.Status.DRAFT:
        return [Reason("status", _("A draft: it is sent once it is issued."), "")]
    if invoice.status == Invoice.Status.VOID:
        return [Reason("status", _("This draft was discarded."), "")]
    if not invoice.documents.filter(kind="pdf").exists():
        text = _("It has no PDF here: it comes from an older system.")
        return [Reason("documents", text, "")]
    return []


def digest_of(invoice: Invoice, on: date) -> str:
    """Of all that the page would say; without the moment that a token bears."""
    return draft_shown(invoice, on).token.partition(".")[2]


def kept(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    return [
        {"field": each.field, "text": each.text[:500], "anchor": each.anchor, "key": each.key}
        for each in list(reasons)[:10]
    ]
