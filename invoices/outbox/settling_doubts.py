"""What staff decide: a mail nobody knows the fate of, a refused one, one that shall not leave."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.models import Message
from invoices.outbox.delivering import mark_sent
from invoices.outbox.kinds import kind_of
from invoices.outbox.queueing import MailRefused, hurry, queue


def confirm_arrived(*, message_id: int, by: User | None) -> Message:
    """Somebody knows that a mail "handed over, not confirmed" arrived."""
    with transaction.atomic():
        message = _locked(message_id)
        if message.state != Message.State.SENDING:
            raise MailRefused(_("This email is not waiting for a decision."))
        if message.claimed_until and message.claimed_until > timezone.now():
            raise MailRefused(_("A worker is sending it right now: look again in a minute."))
        mark_sent(message, by=by)
    message.refresh_from_db()
    return message


def resend(*, message_id: int, by: User | None) -> Message:
    """Send a mail again: the same row where it never arrived, a new one where it was sent.

    It is worded anew when it leaves, and whoever asks knows how things stand now: what held it
    back does so no more.
    """
    with transaction.atomic():
        message = _locked(message_id)
        if message.state == Message.State.SENT:
            message = _again(message, by)
        elif message.state == Message.State.QUEUED:
            Message.objects.filter(pk=message.pk).update(next_attempt_at=None)
        else:
            if message.claimed_until and message.claimed_until > timezone.now():
                raise MailRefused(_("A worker is sending it right now: look again in a minute."))
            known = kind_of(message).known(message)
            Message.objects.filter(pk=message.pk).update(
                state=Message.State.QUEUED,
                attempts=0,
                next_attempt_at=None,
                claimed_until=None,
                trouble="",
                error="",
                data={**message.data, **({"known": known} if known else {})},
            )
        kind_of(message).queued_again(message, by=by)
        hurry(message)
    message.refresh_from_db()
    return message


def _again(message: Message, by: User | None) -> Message:
    root = message.reason_key.split("#")[0]
    n = Message.objects.filter(reason_key__startswith=f"{root}#").count() + 2
    return queue(
        reason_key=f"{root}#{n}",
        kind=message.kind,
        to=message.to,
        cc=message.cc,
        subject=message.subject,
        body_text=message.body_text,
        body_html=message.body_html,
        data=message.data,
        attachments=list(message.attachments.all()),
        enclosures=list(message.enclosures.filter(removed_at__isnull=True)),
        invoice=message.invoice,
        client=message.client,
        language=message.language,
        by=by,
    )


# What may still be kept from leaving, or is known not to have left.
_NOT_LEFT = (Message.State.QUEUED, Message.State.FAILED, Message.State.HELD)


def cancel(*, message_id: int, by: User | None) -> Message:
    """Keep a mail from leaving that waits, was held back or was refused."""
    with transaction.atomic():
        message = _locked(message_id)
        if message.state not in _NOT_LEFT:
            raise MailRefused(_("Only an email that has not left can be cancelled."))
        message.state = Message.State.CANCELLED
        message.claimed_until = None
        message.save(update_fields=["state", "claimed_until"])
        return message


def _locked(message_id: int) -> Message:
    message = Message.objects.select_for_update().filter(pk=message_id).first()
    if message is None:
        raise MailRefused(_("This email is no longer here."))
    return message
