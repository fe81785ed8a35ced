"""Into the outbox: a row before any mail, and each reason once."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import make_msgid, parseaddr
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.recipients import address_problem
from invoices.models import Attachment, Client, Company, Document, Invoice, Message
from invoices.outbox.kinds import kind_of, words_of

MAX_BODY = 200_000


class MailRefused(Exception):
    """No mail was queued; the message is written for staff."""


def queue(
    *,
    reason_key: str,
    kind: str,
    to: Sequence[str],
    subject: str = "",
    body_text: str = "",
    body_html: str = "",
    data: dict[str, Any] | None = None,
    attachments: Sequence[Document] = (),
    enclosures: Sequence[Attachment] = (),
    invoice: Invoice | None = None,
    client: Client | None = None,
    language: str,
    by: User | None = None,
    cc: Sequence[str] = (),
) -> Message:
    """A mail that will leave when the transaction commits; the same reason twice is the first row.

    A kind that words its mails when they leave (kinds.py) is given `data` and no words. Raises
    MailRefused for an address that is none.
    """
    recipients = list(dict.fromkeys(address.strip() for address in to if address.strip()))
    copies = [a.strip() for a in cc if a.strip() and a.strip() not in recipients]
    if not recipients:
        raise MailRefused(_("Say who receives it by email."))
    if wrong := address_problem([*recipients, *copies]):
        raise MailRefused(wrong)
    if len(body_text) > MAX_BODY or len(body_html) > MAX_BODY:
        raise MailRefused(_("The text of this email is too long."))
    company = Company.ours()
    message = Message(
        reason_key=reason_key,
        kind=kind,
        invoice=invoice,
        client=client or (invoice.client if invoice else None),
        language=language,
        to=recipients,
        cc=copies,
        reply_to=company.email if company else "",
        subject=subject,
        body_text=body_text,
        body_html=body_html,
        data=data or {},
        mail_id=make_msgid(domain=_own_domain()),
        created_by=by,
    )
    message.data |= {"known": known} if (known := kind_of(message).known(message)) else {}
    # A line break in a subject would begin another header.
    message.subject = one_line(subject or words_of(message).subject)
    with transaction.atomic():
        try:
            with transaction.atomic():
                message.save(force_insert=True)
        except IntegrityError:
            return Message.objects.get(reason_key=reason_key)
        message.attachments.add(*attachments)
        message.enclosures.add(*enclosures)
        hurry(message)
        return message


def one_line(subject: str) -> str:
    return " ".join(subject.split())[:250]


def _own_domain() -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return domain or "localhost"


def hurry(message: Message) -> None:
    """Ask a worker to send it now; `sweep` would find it all the same."""
    from django_q.tasks import async_task

    async_task("invoices.tasks.deliver_message", message.pk, task_name=f"mail-{message.pk}")
