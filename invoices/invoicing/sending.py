"""An issued invoice or credit note goes to its client by mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted
from invoices.documents import mentions
from invoices.models import Allocation, Company, Invoice, InvoiceEvent, Message
from invoices.outbox.kinds import Held, Kind, Render, Words
from invoices.outbox.queueing import MailRefused, queue

KIND = "invoice"


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
        sent_before = 0
        for before in invoice.messages.filter(kind=KIND):
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
        _supersede(invoice)
        message = queue(
            reason_key=f"invoice:{invoice.pk}:{sent_before + 1}",
            kind=KIND,
            to=to,
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


def _supersede(invoice: Invoice) -> None:
    """A mail that was refused or held back waits for nobody any more: another goes in its place."""
    stuck = (Message.State.FAILED, Message.State.HELD)
    invoice.messages.filter(kind=KIND, state__in=stuck).update(state=Message.State.CANCELLED)


class InvoiceMail(Kind):
    """The mail of an invoice or credit note: worded by what is owed when it leaves."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def known(self, message: Message) -> dict[str, Any]:
        return {"credited": bool(message.invoice and _credited_by(message.invoice))}

    def words(self, message: Message) -> Words:
        assert message.invoice_id is not None
        invoice = Invoice.objects.select_related("client", "corrects").get(pk=message.invoice_id)
        # Paid meanwhile, the client still needs his document, and the mail says that it is paid.
        # Taken back by a credit note, the two should leave together, or neither: people decide.
        if not message.data.get("known", {}).get("credited") and _credited_by(invoice):
            raise Held("credited")
        return Words(*invoice_mail(invoice, Company.objects.get(pk=1), self._render))

    def reason(self, code: str) -> str:
        if code == "credited":
            return _(
                "A credit note took the whole invoice back before this email left. Send it "
                "together with the credit note, or cancel it."
            )
        return ""

    def queued_again(self, message: Message, *, by: User | None) -> None:
        self._tell(message, InvoiceEvent.Kind.QUEUED, by, again=True)

    def sent(self, message: Message, *, refused: Sequence[str], by: User | None) -> None:
        assert message.invoice_id is not None
        Invoice.objects.filter(pk=message.invoice_id, sent_at__isnull=True).update(
            sent_at=message.sent_at
        )
        at = message.sent_at.isoformat() if message.sent_at else None
        self._tell(message, InvoiceEvent.Kind.SENT, by, refused=list(refused), sent_at=at)

    def failed(self, message: Message) -> None:
        self._tell(
            message,
            InvoiceEvent.Kind.SEND_FAILED,
            None,
            trouble=message.trouble,
            error=message.error[:500],
        )

    @staticmethod
    def _tell(message: Message, kind: str, by: User | None, **more: Any) -> None:
        assert message.invoice_id is not None
        InvoiceEvent.objects.create(
            invoice_id=message.invoice_id,
            kind=kind,
            on=timezone.localdate(),
            by=by,
            data={"message_id": message.pk, "to": message.to, **more},
        )


def _settled_by(invoice: Invoice) -> dict[str, int]:
    """What settled it, in minor units by kind; a part taken back is not in it."""
    sums = invoice.allocations.order_by().values_list("kind").annotate(Sum("amount_minor"))
    return {kind: minor for kind, minor in sums if minor}


def _credited_by(invoice: Invoice) -> list[str]:
    """The credit notes that took the whole invoice back; none if any of it was or is to be paid."""
    if invoice.is_credit_note or not invoice.total_minor:
        return []
    if _settled_by(invoice).get(Allocation.Kind.CREDIT, 0) < invoice.total_minor:
        return []
    notes = invoice.allocations.filter(kind=Allocation.Kind.CREDIT).order_by("pk")
    return list(dict.fromkeys(notes.values_list("credit_note__number", flat=True)))


def _open_parts(invoice: Invoice, language: str) -> list[tuple[str, str]]:
    rows = invoice.instalments.open().values_list("due_date", "outstanding_minor")
    said = [
        (mentions.long_date(day, language), mentions.money(language, minor, invoice.currency))
        for day, minor in rows
    ]
    return said if len(said) > 1 else []


_KINDS: Final = {
    "credit_note": {"fr": "Avoir", "en": "Credit note"},
    "standard": {"fr": "Facture", "en": "Invoice"},
    "deposit": {"fr": "Facture d’acompte", "en": "Deposit invoice"},
    "final": {"fr": "Facture définitive", "en": "Final invoice"},
}


def invoice_mail(invoice: Invoice, company: Company, render: Render) -> tuple[str, str, str]:
    """Subject, text and HTML, in the language of the document, by what is owed now."""
    language = "fr" if invoice.language == "fr" else "en"
    locale = mentions.LOCALES[language]
    assert invoice.issue_date is not None and invoice.due_date is not None
    kind = _KINDS[invoice.kind if invoice.is_credit_note else invoice.purpose][language]
    # The account that the attached page names, even if the company has another one by now.
    iban = invoice.paper["seller"].get("iban", "") if invoice.paper else company.iban
    owed = invoice.outstanding_minor > 0
    credited_by = _credited_by(invoice)
    context = {
        "invoice": invoice,
        "company": company,
        "kind": kind,
        "kind_in_text": kind[:1].lower() + kind[1:],
        "total": formatted(invoice.total, locale),
        "outstanding": formatted(invoice.outstanding_balance, locale),
        "is_owed": owed,
        "credited_by": ", ".join(credited_by),
        # A loss that we wrote off is no payment, and no promise to ask no more: nothing is said.
        "is_paid": not (owed or credited_by or Allocation.Kind.WRITE_OFF in _settled_by(invoice)),
        "is_part": owed and invoice.outstanding_minor < invoice.total_minor,
        "issued": mentions.long_date(invoice.issue_date, language),
        "due": mentions.long_date(invoice.next_due or invoice.due_date, language),
        # Of instalments what is still open of each, when it is more than one.
        "parts": _open_parts(invoice, language),
        "is_credit": invoice.is_credit_note,
        "corrects": invoice.corrects.number if invoice.corrects else "",
        "iban": " ".join(re.findall(".{1,4}", iban.replace(" ", ""))),
    }
    subject = f"{kind} {invoice.number} – {company.name}"
    text = render(f"invoices/invoicing/email/invoice.{language}.txt", context)
    html = render(f"invoices/invoicing/email/invoice.{language}.html", context)
    return subject, text.strip() + "\n", html
