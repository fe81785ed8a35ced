"""Mails put into the outbox, and looked at again."""

from __future__ import annotations

from invoices.models import Message
from invoices.outbox import queueing


def queued(**fields):
    given = {
        "reason_key": "test:1",
        "kind": "alert",
        "to": ["a@client.example"],
        "subject": "Late again",
        "body_text": "Hello\n.\n.. two dots\n",
        "language": "en",
    }
    return queueing.queue(**{**given, **fields})


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def due_now(message):
    Message.objects.filter(pk=message.pk).update(next_attempt_at=None, claimed_until=None)
