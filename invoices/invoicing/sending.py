"""An issued invoice or credit note goes to its client by mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted
from invoices.documents import mentions
from invoices.models import Company, Invoice, InvoiceEvent, Message
from invoices.outbox.queueing import MailRefused, queue


def queue_invoice(
    *,
    invoice_id: int,
    recipients: Sequence[str] = (),
    by: User | None,
    on: date | None = None,
    seen: int | None = None,
) -> Message:
    """Mail an issued invoice or credit note with its PDF, in its own language.

    A mail of it to the same people that still waits is that mail. `seen` is how many mails of it
    the person knew of: one more, by somebody else, and it is not sent twice. Raises MailRefused.
    """
    with transaction.atomic():
        invoice = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("client", "corrects")
            .filter(pk=invoice_id)
            .first()
        )
        if invoice is None or invoice.status in (Invoice.Status.DRAFT, Invoice.Status.VOID):
            raise MailRefused(_("Only an issued invoice is sent: issue it first."))
        to = [a.strip() for a in recipients if a.strip()] or list(invoice.recipients)
        documents = list(invoice.documents.filter(kind="pdf").defer("content"))
        if not documents:
            raise MailRefused(
                _("%(number)s has no PDF here: it comes from an older system.")
                % {"number": invoice.number}
            )
        company = Company.objects.get(pk=1)
        sent_before = 0
        for before in invoice.messages.filter(kind="invoice"):
            if before.state == Message.State.QUEUED and before.to == list(dict.fromkeys(to)):
                return before
            sent_before += 1
        if seen is not None and seen != sent_before:
            raise MailRefused(
                _(
                    "%(number)s was sent by somebody else meanwhile. Send it once more only if it "
                    "shall go out twice."
                )
                % {"number": invoice.number}
            )
        subject, text, html = invoice_mail(invoice, company)
        message = queue(
            reason_key=f"invoice:{invoice.pk}:{sent_before + 1}",
            kind="invoice",
            to=to,
            subject=subject,
            body_text=text,
            body_html=html,
            attachments=documents,
            invoice=invoice,
            language=invoice.language,
            by=by,
        )
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.QUEUED,
            on=on or timezone.localdate(),
            by=by,
            data={"message_id": message.pk, "to": message.to},
        )
        return message


def invoice_mail(invoice: Invoice, company: Company) -> tuple[str, str, str]:
    """Subject, text and HTML, in the language of the document."""
    language = "fr" if invoice.language == "fr" else "en"
    locale = mentions.LOCALES[language]
    assert invoice.issue_date is not None and invoice.due_date is not None
    kinds = {
        "fr": ("Avoir" if invoice.is_credit_note else "Facture"),
        "en": ("Credit note" if invoice.is_credit_note else "Invoice"),
    }
    # The account that the attached page names, even if the company has another one by now.
    iban = invoice.paper["seller"].get("iban", "") if invoice.paper else company.iban
    context = {
        "invoice": invoice,
        "company": company,
        "kind": kinds[language],
        "total": formatted(invoice.total, locale),
        "outstanding": formatted(invoice.outstanding_balance, locale),
        "is_settled": not invoice.outstanding_minor,
        "is_part": 0 < invoice.outstanding_minor < invoice.total_minor,
        "issued": mentions.long_date(invoice.issue_date, language),
        "due": mentions.long_date(invoice.due_date, language),
        "is_credit": invoice.is_credit_note,
        "corrects": invoice.corrects.number if invoice.corrects else "",
        "iban": " ".join(re.findall(".{1,4}", iban.replace(" ", ""))),
    }
    subject = f"{kinds[language]} {invoice.number} – {company.name}"
    text = render_to_string(f"invoices/invoicing/email/invoice.{language}.txt", context)
    html = render_to_string(f"invoices/invoicing/email/invoice.{language}.html", context)
    return subject, text.strip() + "\n", html
