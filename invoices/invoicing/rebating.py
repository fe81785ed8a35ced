"""One credit note over several invoices of a client, or over a period without any: a rebate.

Each invoice gives at most what credit notes have left of it. What is still owed on it is settled at
once; of one that is paid the rest stays the client's credit, to be set against another invoice or
paid back. Law: CGI 289, I, 5 and BOI-TVA-DECLA-30-20-20-30 (a rebate may refer to the period
instead of each invoice); the VAT on it is reduced where the note states it (CGI 272, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.company.rates import rate_on
from invoices.invoicing import drafting
from invoices.invoicing.crediting import company_of_today, reason_given, store_credit_lines
from invoices.invoicing.freezing import IssueRefused, freeze, queue_mail
from invoices.invoicing.rebate_plan import Asked, Planned, planned
from invoices.models import (
    Client,
    CreditShare,
    Invoice,
    InvoiceEvent,
    Rebate,
)
from invoices.payments.allocating import allocate
from invoices.payments.applying import locked_invoices


# ─ The act ──────────────────────────────────────────────────────────────────────────────────────
def issue_rebate(
    *,
    client_id: int,
    currency: str,
    asked: Asked,
    reason: str,
    code: str,
    by: User | None,
    on: date,
    recipients: Sequence[str] = (),
    send: bool = False,
) -> Invoice:
    """The credit note, numbered and frozen; raises IssueRefused, and then nothing was kept."""
    reason = reason_given(reason)
    with transaction.atomic():
        # What is printed of the client, then invoices by their ids: the order of all acts.
        client = Client.objects.select_for_update(no_key=True).filter(pk=client_id).first()
        if client is None:
            raise IssueRefused(_("This client is no longer here."))
        locked_invoices(asked.invoices)
        company = company_of_today()
        plan = planned(client, currency, asked, code=code, company=company, on=on)
        note = _drawn_up(client, currency, asked, reason, code, recipients, by, on)
        note.exchange_rate = rate_on(currency, company.currency, on)
        if note.exchange_rate is None and plan.vat_minor:
            text = _("There is no exchange rate of %(currency)s for the day: enter it first.")
            raise IssueRefused(text % {"currency": currency})
        rows = store_credit_lines(note, plan.wanted)
        Rebate.objects.create(note=note, contract=asked.contract.strip())
        CreditShare.objects.bulk_create(
            CreditShare(
                note=note,
                invoice=share.invoice,
                category=share.category,
                rate=share.rate,
                basis_minor=share.basis_minor,
                vat_minor=share.vat_minor,
            )
            for share in plan.shares
        )
        freeze(
            note,
            company,
            totals=drafting.totals_of(note, rows),
            by=by,
            on=on,
            ahead=None,
            breakdown=list(note.vat_breakdown.all()),
        )
        _settle_and_tell(note, plan, reason=reason, by=by, on=on)
        if send:
            queue_mail(note, by=by, on=on)
    return note


def _drawn_up(
    client: Client,
    currency: str,
    asked: Asked,
    reason: str,
    code: str,
    recipients: Sequence[str],
    by: User | None,
    on: date,
) -> Invoice:
    values: dict[str, Any] = {
        "kind": Invoice.Kind.CREDIT_NOTE,
        "client": client,
        "owner_id": client.owner_id,
        "language": client.language,
        "currency": currency,
        "issue_date": on,
        "due_date": on,
        "terms_kind": client.terms_kind,
        "terms_days": client.terms_days,
        "service_from": asked.since,
        "service_until": asked.until,
        "note": reason,
        "credit_reason": code,
        "recipients": [each.strip() for each in recipients if each.strip()],
        "created_by": by,
    }
    return Invoice.objects.create(**values)


def _settle_and_tell(
    note: Invoice, plan: Planned, *, reason: str, by: User | None, on: date
) -> None:
    applied, whole = plan.applied(), plan.by_invoice()
    InvoiceEvent.objects.create(
        invoice=note,
        kind=InvoiceEvent.Kind.ISSUED,
        on=on,
        by=by,
        data={
            "number": note.number,
            "total_minor": note.total_minor,
            "currency": note.currency,
        },
    )
    for invoice in {share.invoice.pk: share.invoice for share in plan.shares}.values():
        if applied[invoice.pk]:
            allocate(
                invoice=invoice,
                amount_minor=applied[invoice.pk],
                applied_on=on,
                by=by,
                credit_note=note,
            )
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.CREDITED,
            on=on,
            by=by,
            data={
                "number": note.number,
                "credit_note_id": note.pk,
                "amount_minor": applied[invoice.pk],
                "total_minor": whole[invoice.pk],
                "currency": note.currency,
                "reason": reason[:300],
            },
        )
