"""Out of the outbox: a row is taken, worded, and marked right before its text leaves.

A worker takes a row for some minutes (`claimed_until`), asks its kind for the words, talks to the
mail server up to the moment at which it asks for the text, marks the row "handed over" with the
words that leave, gives the text and marks it sent. Up to the mark nothing has left, so a crash or a
refusal means that it is tried again. Between the mark and the server's answer nobody can know: such
a row waits for staff (settling_doubts.py).
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.encoders import encode_base64
from email.mime.base import MIMEBase

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.models import Attachment, Message
from invoices.outbox.kinds import Held, Moot, Words, kind_of, words_of
from invoices.outbox.mail_server import Later, Line, Never, SetUp, Unconfirmed
from invoices.outbox.queueing import MAX_BODY, one_line

logger = logging.getLogger(__name__)

State, Trouble = Message.State, Message.Trouble

LEASE = timedelta(minutes=5)
# 1, 2, 4 … minutes, at most six hours: fourteen attempts take about two days.
MAX_ATTEMPTS = 14
MAX_DELAY = timedelta(hours=6)
# A fault of our own set-up is looked at so often, for as long as it lasts.
SETUP_DELAY = timedelta(minutes=10)
SWEEP_LIMIT = 200
SWEEP_SECONDS = 45


class _Lost(Exception):
    """Another worker has the row, or somebody cancelled it: nothing has left and nothing may."""


def sweep() -> dict[str, int]:
    """Deliver the rows that wait and are due, whatever became of their tasks.

    It runs every minute, so it ends within one: a server that answers nobody is left in peace.
    """
    now = timezone.now()
    end = time.monotonic() + SWEEP_SECONDS
    due = (
        Message.objects.filter(_due(now), state=State.QUEUED)
        .order_by("pk")
        .values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    counts: dict[str, int] = {}
    put_off = 0
    with Line() as line:
        for message_id in list(due):
            state = deliver(message_id, line)
            counts[state] = counts.get(state, 0) + 1
            put_off = put_off + 1 if state == State.QUEUED else 0
            if put_off >= 3 or time.monotonic() > end:
                break
    return counts


def deliver(message_id: int, line: Line | None = None) -> str:
    """Send one row if it waits, is due and nobody else has it; returns the state it is left in."""
    message = _claim(message_id)
    if message is None:
        return "untouched"
    if line is None:
        with Line() as own:
            return _carry_out(message, own)
    return _carry_out(message, line)


def _carry_out(message: Message, line: Line) -> str:
    try:
        words = words_of(message)
        mail = _built(message, words)
        refused = _send(message, words, mail, line)
    except Held as reason:
        return _put_aside(message, State.HELD, reason.code)
    except Moot as reason:
        return _put_aside(message, State.CANCELLED, reason.code)
    except Later as said:
        return _try_later(message, str(said))
    except Never as said:
        return _give_up(message, Trouble.REFUSED, str(said))
    except _TooLong:
        return _give_up(message, Trouble.TOO_LONG, "")
    except SetUp as said:
        return _wait_for_set_up(message, str(said))
    except _Lost:
        return "untouched"
    except Unconfirmed as said:
        Message.objects.filter(pk=message.pk, state=State.SENDING).update(
            trouble=Trouble.UNCONFIRMED, error=str(said)[:2000], claimed_until=None
        )
        logger.warning("mail %s was handed over and not confirmed", message.pk)
        return State.SENDING
    return mark_sent(message, refused)


class _TooLong(Exception):
    pass


def _due(now: datetime) -> Q:
    return (Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)) & (
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    )


def _claim(message_id: int) -> Message | None:
    now = timezone.now()
    taken = Message.objects.filter(_due(now), pk=message_id, state=State.QUEUED).update(
        claimed_until=now + LEASE, attempts=F("attempts") + 1
    )
    if not taken:
        return None
    message = Message.objects.get(pk=message_id)
    # A crash never gets to count its failure: this does.
    if message.attempts > MAX_ATTEMPTS:
        _give_up(message, Trouble.TOO_OFTEN, message.error)
        return None
    return message


def _built(message: Message, words: Words) -> EmailMultiAlternatives:
    if len(words.text) > MAX_BODY or len(words.html) > MAX_BODY:
        raise _TooLong
    mail = EmailMultiAlternatives(
        subject=words.subject,
        body=words.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=message.to,
        cc=message.cc,
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={"Message-ID": message.mail_id, "Auto-Submitted": "auto-generated"},
    )
    if words.html:
        mail.attach_alternative(words.html, "text/html")
    for document in message.attachments.all():
        content_type = "application/pdf" if document.kind == "pdf" else "application/octet-stream"
        mail.attach(document.filename, bytes(document.content), content_type)
    for enclosed in message.enclosures.select_related("file"):
        mail.attach(_enclosed(enclosed))
    for file in kind_of(message).files(message):
        mail.attach(file.name, file.content, file.content_type)
    try:
        mail.message()
    except ValueError as trouble:
        # BadHeaderError and the like: nothing about it will be better next time.
        raise Never(str(trouble)) from trouble
    return mail


def _enclosed(enclosed: Attachment) -> MIMEBase:
    """Byte for byte: as a text it would be written anew, with other ends of lines."""
    part = MIMEBase(*enclosed.file.content_type.split("/", 1))
    part.set_payload(bytes(enclosed.file.content))
    encode_base64(part)
    name: str | tuple[str, str, str] = enclosed.filename
    if not enclosed.filename.isascii():
        # RFC 2231.
        name = ("utf-8", "", enclosed.filename)
    part.add_header("Content-Disposition", "attachment", filename=name)
    return part


def _send(message: Message, words: Words, mail: EmailMultiAlternatives, line: Line) -> list[str]:
    return line.send(mail, attempt=message.attempts, mark=lambda: _mark_sending(message, words))


def _mark_sending(message: Message, words: Words) -> None:
    """From here on it may have left; so the very words are kept in the same statement."""
    kept = words.kept()
    taken = Message.objects.filter(
        pk=message.pk,
        state=State.QUEUED,
        attempts=message.attempts,
        claimed_until=message.claimed_until,
    ).update(
        state=State.SENDING,
        subject=one_line(words.subject),
        body_text=kept.text,
        body_html=kept.html,
    )
    if not taken:
        raise _Lost


def _try_later(message: Message, said: str) -> str:
    if message.attempts >= MAX_ATTEMPTS:
        return _give_up(message, Trouble.TOO_OFTEN, said)
    # Jitter: not all of them again in the same second.
    wait = min(timedelta(minutes=2 ** (message.attempts - 1)), MAX_DELAY)
    wait *= random.uniform(0.8, 1.2)  # noqa: S311
    return _wait(message, Trouble.LATER, said, wait)


def _wait_for_set_up(message: Message, said: str) -> str:
    """Not this mail's fault: the attempt does not count, and the desk says what is wrong."""
    logger.error("the mail server turns us away: %s", said)
    return _wait(message, Trouble.SETUP, said, SETUP_DELAY, attempts=max(0, message.attempts - 1))


def _wait(message: Message, trouble: str, said: str, wait: timedelta, **more: int) -> str:
    Message.objects.filter(
        pk=message.pk,
        attempts=message.attempts,
        state__in=[State.QUEUED, State.SENDING],
    ).update(
        state=State.QUEUED,
        next_attempt_at=timezone.now() + wait,
        claimed_until=None,
        trouble=trouble,
        error=said[:2000],
        **more,
    )
    return State.QUEUED


def _put_aside(message: Message, state: Message.State, code: str) -> str:
    """Its kind says that it shall not leave as things are."""
    Message.objects.filter(
        pk=message.pk, attempts=message.attempts, claimed_until=message.claimed_until
    ).filter(state=State.QUEUED).update(
        state=state, trouble=code, error="", claimed_until=None, next_attempt_at=None
    )
    return state


def _give_up(message: Message, trouble: str, said: str) -> str:
    with transaction.atomic():
        changed = Message.objects.filter(
            pk=message.pk, state__in=[State.QUEUED, State.SENDING]
        ).update(state=State.FAILED, claimed_until=None, trouble=trouble, error=said[:2000])
        if changed:
            message.refresh_from_db()
            kind_of(message).failed(message)
    logger.warning("mail %s was refused", message.pk)
    return State.FAILED


def mark_sent(message: Message, refused: Sequence[str] = (), by: User | None = None) -> str:
    now = timezone.now()
    with transaction.atomic():
        changed = Message.objects.filter(pk=message.pk, state=State.SENDING).update(
            state=State.SENT,
            sent_at=now,
            claimed_until=None,
            trouble=Trouble.SOME if refused else "",
            error="; ".join(refused)[:2000],
        )
        if changed:
            message.refresh_from_db()
            kind_of(message).sent(message, refused=refused, by=by)
    return State.SENT
