"""Which mails wait for a person: the desk, the sidebar and the list of mails count the same."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from invoices.models import Message

# How the list of mails names them in its address.
WAITING = "waiting"


def waiting_for_a_person() -> QuerySet[Message]:
    """Refused, held back, handed over without an answer, or stopped by our own set-up."""
    State = Message.State
    # A worker that sends it this very moment will know in a second.
    busy = Q(state=State.SENDING, claimed_until__gte=timezone.now())
    return Message.objects.filter(
        Q(state__in=(State.FAILED, State.HELD, State.SENDING))
        | Q(state=State.QUEUED, trouble=Message.Trouble.SETUP)
    ).exclude(busy)
