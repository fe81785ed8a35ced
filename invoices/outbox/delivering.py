"""Out of the outbox: a row is taken, given to the mail server, and marked before its text leaves.

A worker takes a row for some minutes (`claimed_until`), talks to the mail server up to the moment
at which it asks for the text, marks the row "handed over", gives the text and marks it sent. Up to
the mark nothing has left, so a crash or a refusal means that it is tried again. Between the mark
and the server's answer nobody can know: such a row waits for staff (settling_doubts.py).
"""

from __future__ import annotations

import logging
import random
import re
import smtplib
import time
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.models import Invoice, InvoiceEvent, Message

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
# 1, 2, 4 … minutes, at most six hours: fourteen attempts take about two days.
MAX_ATTEMPTS = 14
MAX_DELAY = timedelta(hours=6)
# So often the whole mail waits for a recipient who is refused for now; then the others get it.
PATIENCE = 4
SWEEP_LIMIT = 200
SWEEP_SECONDS = 45


class _Later(Exception):
    """The server did not take it now; nothing has left."""


class _Never(Exception):
    """The server will not take it; nothing has left."""


class _Lost(Exception):
    """Another worker has the row, or somebody cancelled it: nothing has left and nothing may."""


def sweep() -> dict[str, int]:
    """Deliver the rows that wait and are due, whatever became of their tasks.

    It runs every minute, so it ends within one: a server that answers nobody is left in peace.
    """
    now = timezone.now()
    end = time.monotonic() + SWEEP_SECONDS
    due = (
        Message.objects.filter(_due(now), state=Message.State.QUEUED)
        .order_by("pk")
        .values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    counts: dict[str, int] = {}
    put_off = 0
    for message_id in list(due):
        state = deliver(message_id)
        counts[state] = counts.get(state, 0) + 1
        put_off = put_off + 1 if state == Message.State.QUEUED else 0
        if put_off >= 3 or time.monotonic() > end:
            break
    return counts


def deliver(message_id: int) -> str:
    """Send one row if it waits, is due and nobody else has it; returns the state it is left in."""
    message = _claim(message_id)
    if message is None:
        return "untouched"
    try:
        mail = _built(message)
        refused = _send(message, mail)
    except _Later as trouble:
        return _try_later(message, str(trouble))
    except _Never as trouble:
        return _give_up(message, str(trouble))
    except _Lost:
        return "untouched"
    except _Unconfirmed as trouble:
        Message.objects.filter(pk=message.pk, state=Message.State.SENDING).update(
            error=str(trouble)[:2000], claimed_until=None
        )
        logger.warning("mail %s was handed over and not confirmed", message.pk)
        return Message.State.SENDING
    return mark_sent(message, refused)


class _Unconfirmed(Exception):
    """The text was given, and the answer never came."""


def _due(now: Any) -> Q:
    return (Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)) & (
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    )


def _claim(message_id: int) -> Message | None:
    now = timezone.now()
    taken = Message.objects.filter(_due(now), pk=message_id, state=Message.State.QUEUED).update(
        claimed_until=now + LEASE, attempts=F("attempts") + 1
    )
    if not taken:
        return None
    message = Message.objects.get(pk=message_id)
    # A crash never gets to count its failure: this does.
    if message.attempts > MAX_ATTEMPTS:
        _give_up(message, _("It was tried too often."))
        return None
    return message


def _built(message: Message) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.body_text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=message.to,
        cc=message.cc,
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={"Message-ID": message.mail_id, "Auto-Submitted": "auto-generated"},
    )
    if message.body_html:
        mail.attach_alternative(message.body_html, "text/html")
    for document in message.attachments.all():
        content_type = "application/pdf" if document.kind == "pdf" else "application/octet-stream"
        mail.attach(document.filename, bytes(document.content), content_type)
    try:
        mail.message()
    except ValueError as trouble:
        # BadHeaderError and the like: nothing about it will be better next time.
        raise _Never(str(trouble)) from trouble
    return mail


def _send(message: Message, mail: EmailMultiAlternatives) -> list[str]:
    """Hand it to the server; returns what was refused for single recipients, in words."""
    connection = get_connection()
    try:
        try:
            connection.open()
        except (OSError, smtplib.SMTPException) as trouble:
            # A greeting or a login that fails says nothing about this mail.
            raise _Later(f"{type(trouble).__name__}: {trouble}") from trouble
        if isinstance(connection, SmtpBackend) and connection.connection is not None:
            return _by_smtp(message, mail, connection.connection)
        _mark_sending(message)
        try:
            connection.send_messages([mail])
        except Exception as trouble:
            # A provider's own words, when it answered at all, are a clear no (django-anymail).
            code = getattr(trouble, "status_code", None)
            if isinstance(code, int) and code >= 400:
                kind = _Later if code == 429 or code >= 500 else _Never
                raise kind(f"{code} {trouble}") from trouble
            raise _Unconfirmed(f"{type(trouble).__name__}: {trouble}") from trouble
        return []
    finally:
        try:
            connection.close()
        except (OSError, smtplib.SMTPException):
            logger.info("the mail server did not say goodbye")


def _by_smtp(message: Message, mail: EmailMultiAlternatives, smtp: smtplib.SMTP) -> list[str]:
    """The conversation step by step: only so can the mark fall right before the text leaves."""
    # Django's own message class takes linesep; its stubs show email.message.Message.
    content: bytes = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    refused: list[str] = []
    try:
        smtp.ehlo_or_helo_if_needed()
        options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
        _accepted(smtp.mail(_envelope(settings.DEFAULT_FROM_EMAIL), options))
        recipients = mail.recipients()
        temporary = False
        for address in recipients:
            code, words = smtp.rcpt(_envelope(address))
            if code >= 300:
                refused.append(f"{address}: {_said(code, words)}")
                temporary = temporary or code < 500
        # Greylisting of one: later all of them get it.
        if len(refused) == len(recipients) or (temporary and message.attempts <= PATIENCE):
            raise (_Later if temporary else _Never)("; ".join(refused))
        code, words = smtp.docmd("DATA")
        if code != 354:
            raise (_Later if code < 500 else _Never)(_said(code, words))
    except (OSError, smtplib.SMTPException) as trouble:
        raise _trouble(trouble) from trouble
    try:
        _mark_sending(message)
    except BaseException:
        # No goodbye: the server waits for a text and must see the line break off.
        smtp.close()
        raise
    try:
        smtp.send(re.sub(rb"(?m)^\.", b"..", content).rstrip(b"\r\n") + b"\r\n.\r\n")
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException) as trouble:
        raise _Unconfirmed(f"{type(trouble).__name__}: {trouble}") from trouble
    if code != 250:
        # The server read it and said no: it was not taken.
        raise (_Later if code < 500 else _Never)(_said(code, words))
    return refused


def _accepted(reply: tuple[int, bytes]) -> None:
    code, words = reply
    if code >= 300:
        raise (_Later if code < 500 else _Never)(_said(code, words))


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"[:500]


def _trouble(trouble: Exception) -> Exception:
    """Before the text has left, everything but a clear "never" is tried again."""
    if isinstance(trouble, smtplib.SMTPResponseException):
        kind = _Never if trouble.smtp_code >= 500 else _Later
        return kind(_said(trouble.smtp_code, trouble.smtp_error))
    return _Later(f"{type(trouble).__name__}: {trouble}")


def _envelope(address: str) -> str:
    local, _at, domain = parseaddr(address)[1].rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _mark_sending(message: Message) -> None:
    taken = Message.objects.filter(
        pk=message.pk,
        state=Message.State.QUEUED,
        attempts=message.attempts,
        claimed_until=message.claimed_until,
    ).update(state=Message.State.SENDING)
    if not taken:
        raise _Lost


def _try_later(message: Message, words: str) -> str:
    if message.attempts >= MAX_ATTEMPTS:
        return _give_up(message, words)
    # Jitter: not all of them again in the same second.
    wait = min(timedelta(minutes=2 ** (message.attempts - 1)), MAX_DELAY)
    wait *= random.uniform(0.8, 1.2)  # noqa: S311
    Message.objects.filter(
        pk=message.pk,
        attempts=message.attempts,
        state__in=[Message.State.QUEUED, Message.State.SENDING],
    ).update(
        state=Message.State.QUEUED,
        next_attempt_at=timezone.now() + wait,
        claimed_until=None,
        error=words[:2000],
    )
    return Message.State.QUEUED


def _give_up(message: Message, words: str) -> str:
    with transaction.atomic():
        changed = Message.objects.filter(
            pk=message.pk, state__in=[Message.State.QUEUED, Message.State.SENDING]
        ).update(state=Message.State.FAILED, claimed_until=None, error=words[:2000])
        if changed and message.invoice_id:
            InvoiceEvent.objects.create(
                invoice_id=message.invoice_id,
                kind=InvoiceEvent.Kind.SEND_FAILED,
                on=timezone.localdate(),
                data={"message_id": message.pk, "to": message.to, "error": words[:500]},
            )
    logger.warning("mail %s was refused", message.pk)
    return Message.State.FAILED


def mark_sent(message: Message, refused: Sequence[str] = (), by: User | None = None) -> str:
    now = timezone.now()
    with transaction.atomic():
        changed = Message.objects.filter(pk=message.pk, state=Message.State.SENDING).update(
            state=Message.State.SENT,
            sent_at=now,
            claimed_until=None,
            error="; ".join(refused)[:2000],
        )
        if changed and message.invoice_id and message.kind == "invoice":
            Invoice.objects.filter(pk=message.invoice_id, sent_at__isnull=True).update(sent_at=now)
            InvoiceEvent.objects.create(
                invoice_id=message.invoice_id,
                kind=InvoiceEvent.Kind.SENT,
                on=timezone.localdate(now),
                by=by,
                data={
                    "message_id": message.pk,
                    "to": message.to,
                    "refused": list(refused),
                },
            )
    return Message.State.SENT
