"""Answering a client who disputes or suspends an invoice: 209, with words and a file.

The client’s platform shows it beside the invoice. It is no correction: where the invoice is wrong a
corrected one or a credit note answers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.documents.cdar.message import Attachment, Reason
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
from invoices.einvoicing.own_messages import Said, buyer_of, put_into_outbox
from invoices.einvoicing.platforms import hurry
from invoices.einvoicing.statuses import COMPLETED, IN_DISPUTE, SUSPENDED
from invoices.einvoicing.taking_in import ZONE
from invoices.einvoicing.transmitting import tell
from invoices.models import LifecycleStatus

WORDS: Final = "Complétée"
ANSWERABLE: Final = (IN_DISPUTE, SUSPENDED)
LONGEST_WORDS: Final = 1_000
LARGEST_FILE: Final = 5 * 2**20


class AnswerRefused(Exception):
    """Nothing was sent; the message is written for staff."""


def answer(
    *, transmission_id: int, words: str, file: Attachment | None, by: User | None
) -> LifecycleStatus:
    """One answer to the client’s last word: the next needs another word of his. Raises
    AnswerRefused."""
    words = words.strip()
    if not words or len(words) > LONGEST_WORDS:
        raise AnswerRefused(_("Say what the client asked for, in at most 1,000 characters."))
    if file is not None and not 0 < len(file.content) <= LARGEST_FILE:
        raise AnswerRefused(_("The file is empty or larger than 5 MB."))
    with transaction.atomic():
        found = locked(Q(pk=transmission_id))
        if found is None:
            raise AnswerRefused(_("This invoice is no longer here."))
        if found.status_code == COMPLETED:
            raise AnswerRefused(_("It was answered already: the client has the word now."))
        if found.status_code not in ANSWERABLE or found.status_at is None:
            raise AnswerRefused(_("The client neither disputes nor suspends it."))
        # The client’s clock may be ahead of ours: an answer comes after what it answers.
        moment = max(timezone.now(), found.status_at + timedelta(seconds=1))
        row = put_into_outbox(
            found,
            Said(
                code=COMPLETED,
                words=WORDS,
                at=timezone.localtime(moment, ZONE).replace(microsecond=0)
                + (timedelta(seconds=1) if moment.microsecond else timedelta(0)),
                recipients=(buyer_of(found),),
                reasons=(Reason(note=words),),
                attachments=(file,) if file else (),
            ),
        )
        fold(found)
        tell(
            found.invoice,
            "answered",
            by=by,
            status_id=row.pk,
            words=words[:300],
            filename=file.filename if file else "",
        )
        hurry()
        return row
