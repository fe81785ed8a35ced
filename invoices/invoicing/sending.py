"""An issued invoice or credit note goes to its client by mail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.attachments.keeping import AttachmentRefused, enclosed
from invoices.invoicing.mail_words import credited_by, values_of, wording_kind
from invoices.models import Attachment, Company, Document, Invoice, InvoiceEvent, Message
from invoices.outbox.changing_words import mail_of
from invoices.outbox.kinds import Held, Kind, Words
from invoices.outbox.queueing import MailRefused, queue

KIND = "invoice"


def queue_invoice(
    *,
    invoice_id: int,
    recipients: Sequence[str] = (),
    by: User | None,
    on: date | None = None,
    seen: int | None = None,
    standing: Collection[int] | None = None,
) -> Message:
    """Mail an issued invoice or credit note with its PDF, in its own language.

    A mail of it to the same people that still waits is that mail. `seen` is how many mails of it
    the person knew of: one more, by somebody else, and it is not sent twice. `standing`: which
    files of the company go with it, all of them if nobody was asked. Raises MailRefused.
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
        mails = list(invoice.messages.filter(kind=KIND))
        for before in mails:
            if before.state == Message.State.QUEUED and before.to == list(dict.fromkeys(to)):
                return before
        if seen is not None and seen != len(mails):
            raise MailRefused(
                _(
                    "%(number)s was sent by somebody else meanwhile. Send it once more only if it "
                    "shall go out twice."
                )
                % {"number": invoice.number}
            )
        documents, files = _pdf_of(invoice), _enclosed(invoice, standing)
        _supersede(invoice)
        message = queue(
            reason_key=f"invoice:{invoice.pk}:{len(mails) + 1}",
            kind=KIND,
            to=to,
            attachments=documents,
            enclosures=files,
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


def _pdf_of(invoice: Invoice) -> list[Document]:
    documents = list(invoice.documents.filter(kind="pdf").defer("content"))
    if not documents:
        raise MailRefused(
            _("%(number)s has no PDF here: it comes from an older system.")
            % {"number": invoice.number}
        )
    return documents


def _enclosed(invoice: Invoice, standing: Collection[int] | None) -> list[Attachment]:
    try:
        return enclosed(invoice, standing)
    except AttachmentRefused as refusal:
        raise MailRefused(str(refusal)) from None


def _supersede(invoice: Invoice) -> None:
    """A mail that was refused or held back waits for nobody any more: another goes in its place."""
    stuck = (Message.State.FAILED, Message.State.HELD)
    invoice.messages.filter(kind=KIND, state__in=stuck).update(state=Message.State.CANCELLED)


class InvoiceMail(Kind):
    """The mail of an invoice or credit note: worded by what is owed when it leaves."""

    def known(self, message: Message) -> dict[str, Any]:
        return {"credited": bool(message.invoice and credited_by(message.invoice))}

    def words(self, message: Message) -> Words:
        assert message.invoice_id is not None
        invoice = Invoice.objects.select_related("client", "corrects").get(pk=message.invoice_id)
        # Paid meanwhile, the client still needs his document, and the mail says that it is paid.
        # Taken back by a credit note, the two should leave together, or neither: people decide.
        if not message.data.get("known", {}).get("credited") and credited_by(invoice):
            raise Held("credited")
        return Words(*invoice_mail(invoice, Company.objects.get(pk=1)))

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
        said: dict[str, Any] = {"refused": list(refused), "sent_at": at}
        files = message.enclosures.order_by("pk").values_list("filename", "file__sha256")
        if enclosed := [list(each) for each in files]:
            # Sealed with the event: which files left, whatever becomes of their rows.
            said["enclosed"] = enclosed
        self._tell(message, InvoiceEvent.Kind.SENT, by, **said)

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


def invoice_mail(invoice: Invoice, company: Company) -> tuple[str, str, str]:
    """Subject, text and HTML, in the language of the document, by what is owed now."""
    language = "fr" if invoice.language == "fr" else "en"
    return mail_of(wording_kind(invoice), language, values_of(invoice, company))
