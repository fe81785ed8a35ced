"""A batch is carried out by a worker: one document after the other, each in its own transaction.

The end of an item is written in the very transaction that issues its document or queues its mail,
under the lock of the item: whoever comes second, be it after a kill, a second worker or a second
click, finds it ended. The batch itself is held for some minutes by one worker, so that numbers are
given in the order that was shown; a hold that was not renewed is taken over by the next one.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.confirming import ChangedMeanwhile
from invoices.bulk import looking
from invoices.bulk.beginning import hurry
from invoices.company.numbering import NumberRefused
from invoices.invoicing.confirming import draft_shown, under_lock
from invoices.invoicing.freezing import IssueRefused, print_ahead
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.invoicing.reasons import Reason
from invoices.invoicing.sending import KIND, queue_invoice
from invoices.models import Batch, BatchItem, Invoice
from invoices.outbox.queueing import MailRefused

logger = logging.getLogger(__name__)

State, ItemState = Batch.State, BatchItem.State
# How long a worker that says nothing keeps the others out.
LEASE: Final = timedelta(minutes=3)
# A task of the queue ends within its timeout: what is left is asked for anew.
SECONDS: Final = 600.0
# A batch that lay still is not carried out by the days and numbers of long ago.
DAYS: Final = timedelta(days=1)


class _Others(Exception):
    """Somebody else did it; the message says who."""


def go_on(batch_id: int, *, today: date, seconds: float = SECONDS) -> str:
    """Look through what is to be looked through, do what is to be done; the state it is left in.

    Run again, twice at once or after a crash, it does nothing twice.
    """
    worker = _claim(batch_id)
    if worker is None:
        return "untouched"
    batch = Batch.objects.select_related("created_by", "started_by").get(pk=batch_id)
    try:
        if batch.state == State.LOOKING:
            looking.look_through(batch)
        elif batch.state == State.RUNNING:
            _carry_out(batch, worker, today, time.monotonic() + seconds)
    finally:
        Batch.objects.filter(pk=batch_id, worker=worker).update(worker="", claimed_until=None)
    batch.refresh_from_db(fields=["state"])
    if batch.state == State.RUNNING:
        hurry(batch)
    return batch.state


def sweep(today: date) -> int:
    """Take up batches that no worker has: their task was lost, or its process was killed."""
    idle = Batch.objects.filter(_free(), state__in=[State.LOOKING, State.RUNNING])
    pks = list(idle.values_list("pk", flat=True)[:10])
    for pk in pks:
        go_on(pk, today=today)
    return len(pks)


def _free() -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lt=timezone.now())


def _claim(batch_id: int) -> str | None:
    worker = secrets.token_hex(16)
    taken = Batch.objects.filter(
        _free(), pk=batch_id, state__in=[State.LOOKING, State.RUNNING]
    ).update(worker=worker, claimed_until=timezone.now() + LEASE)
    return worker if taken else None


def _still_ours(batch: Batch, worker: str) -> bool:
    """Renew the hold; not when it was taken over, or somebody stopped the batch."""
    rows = Batch.objects.filter(pk=batch.pk, worker=worker, state=State.RUNNING)
    return bool(rows.update(claimed_until=timezone.now() + LEASE))


def _carry_out(batch: Batch, worker: str, today: date, end: float) -> None:
    by = batch.started_by
    if by is None or not _may(by, batch) or today - batch.on > DAYS:
        # Nobody who may answers for it any more, or it lay still: a person decides anew.
        Batch.objects.filter(pk=batch.pk, state=State.RUNNING).update(state=State.STOPPED)
        return
    with translation.override(by.language):
        for pk in list(
            batch.items.filter(state=ItemState.WAITING)
            .order_by("position")
            .values_list("pk", flat=True)
        ):
            if time.monotonic() > end or not _still_ours(batch, worker):
                return
            carry_out_item(pk, batch, by)
    with transaction.atomic():
        if not batch.items.filter(state=ItemState.WAITING).exists():
            Batch.objects.filter(pk=batch.pk, state=State.RUNNING).update(
                state=State.DONE, done_at=timezone.now()
            )


def _may(by: User, batch: Batch) -> bool:
    wanted = [("invoices.issue_invoice", batch.issues), ("invoices.send_invoice", batch.sends)]
    return by.is_active and all(by.has_perm(name) for name, asked in wanted if asked)


def carry_out_item(item_id: int, batch: Batch, by: User) -> str:
    """One document, or the reason why not; nothing of a refused one stays. Its state then."""
    do: Callable[[BatchItem, Batch, User], None] = _issue if batch.issues else _send
    try:
        item = BatchItem.objects.select_related("invoice").get(pk=item_id)
        do(item, batch, by)
    except _Others as who:
        _end(item_id, ItemState.OTHERS, [Reason("status", str(who), "")])
    except IssueRefused as refusal:
        _end(item_id, ItemState.FAILED, refusal.reasons)
    except NumberRefused as refusal:
        _end(item_id, ItemState.FAILED, [Reason("number", str(refusal), "numbers")])
    except ChangedMeanwhile as refusal:
        _end(item_id, ItemState.FAILED, [Reason("changed", str(refusal), "")])
    except MailRefused as refusal:
        _end(item_id, ItemState.FAILED, [Reason("recipients", str(refusal), "client")])
    except Exception:
        # One document's fault is not that of the nine hundred behind it.
        logger.exception("Item %s of batch %s failed", item_id, batch.pk)
        text = _("The portal failed at it and has written down why; nothing of it was done.")
        _end(item_id, ItemState.FAILED, [Reason("fault", text, "")])
    return BatchItem.objects.values_list("state", flat=True).get(pk=item_id)


def _issue(item: BatchItem, batch: Batch, by: User) -> None:
    # Laid out before the lock, as the issue of one is.
    ahead = print_ahead(item.invoice_id, batch.on)
    with transaction.atomic():
        if not _locked(item):
            return
        pk = item.invoice_id
        now = under_lock(pk, lambda found: draft_shown(found, batch.on))()
        # Read after the lock: whoever was before us has ended by now.
        invoice = Invoice.objects.select_related("client", "issued_by").get(pk=pk)
        if not invoice.is_draft:
            raise _Others(reasons_not_to_issue(invoice, batch.on)[0].text)
        now.require(f".{item.shown}")
        issued = issue(invoice_id=pk, by=by, on=batch.on, send=batch.sends, ahead=ahead)
        mail = issued.messages.filter(kind=KIND).order_by("-pk").first() if batch.sends else None
        _done(item, mail.pk if mail else None)


def _send(item: BatchItem, batch: Batch, by: User) -> None:
    with transaction.atomic():
        if not _locked(item):
            return
        pk = item.invoice_id
        list(Invoice.objects.select_for_update().filter(pk=pk).values_list("pk", flat=True))
        before = Invoice.objects.get(pk=pk).messages.filter(kind=KIND)
        if before.count() != item.mails_seen:
            raise _Others(_said_of(before.order_by("-pk")[0].created_by))
        message = queue_invoice(
            invoice_id=pk, recipients=item.recipients, by=by, on=batch.on, seen=item.mails_seen
        )
        _done(item, message.pk)


def _said_of(who: User | None) -> str:
    if who is None:
        return _("It was sent meanwhile, so it was not sent twice.")
    return _("%(who)s sent it meanwhile, so it was not sent twice.") % {"who": who}


def _locked(item: BatchItem) -> bool:
    rows = BatchItem.objects.select_for_update().filter(pk=item.pk, state=ItemState.WAITING)
    return rows.first() is not None


def _done(item: BatchItem, message_id: int | None) -> None:
    BatchItem.objects.filter(pk=item.pk).update(
        state=ItemState.DONE, message_id=message_id, done_at=timezone.now()
    )


def _end(item_id: int, state: str, reasons: list[Reason]) -> None:
    BatchItem.objects.filter(pk=item_id, state=ItemState.WAITING).update(
        state=state, reasons=looking.kept(reasons), done_at=timezone.now()
    )
