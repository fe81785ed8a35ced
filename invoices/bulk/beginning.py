"""A batch is begun with chosen documents, and a person decides about it when it is looked through.

Of a few documents the look is taken at once, of many by the worker: no request waits for it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from invoices.bulk import looking
from invoices.models import Batch, BatchItem, Invoice
from invoices.models.batches import ENDED

MOST: Final = 2_000
# More are looked through by the worker.
AT_ONCE: Final = 15
# A preview that nobody confirmed is thrown away.
KEPT_FOR: Final = timedelta(days=2)

State, ItemState = Batch.State, BatchItem.State


class BatchRefused(Exception):
    """Nothing was begun; the message is written for staff."""


def begin(*, act: str, chosen: QuerySet[Invoice], by: User, on: date) -> Batch:
    """A batch of the chosen documents, in the order in which they will get their numbers: by issue
    date, as they were drafted. Raises BatchRefused for none and for more than MOST."""
    Batch.objects.filter(
        state__in=[State.LOOKING, State.READY], created_at__lt=timezone.now() - KEPT_FOR
    ).delete()
    # A list of due amounts names an invoice once for each of its instalments.
    pks = set(chosen.order_by().values_list("pk", flat=True)[: 20 * MOST])
    if not pks:
        raise BatchRefused(_("Nothing was chosen."))
    if len(pks) > MOST:
        raise BatchRefused(
            ngettext(
                "%(n)s document was chosen, and at most %(most)s go in one batch: narrow the list.",
                "%(n)s documents were chosen, and at most %(most)s go in one batch: narrow the "
                "list.",
                len(pks),
            )
            % {"n": grouped(len(pks)), "most": grouped(MOST)}
        )
    ordered = Invoice.objects.annotate(day=Coalesce(F("issue_date"), on)).order_by("day", "pk")
    with transaction.atomic():
        batch = Batch.objects.create(act=act, on=on, created_by=by)
        found = (pk for pk in ordered.values_list("pk", flat=True) if pk in pks)
        BatchItem.objects.bulk_create(
            (
                BatchItem(batch=batch, invoice_id=pk, position=position)
                for position, pk in enumerate(found, 1)
            ),
            batch_size=500,
        )
        if len(pks) > AT_ONCE:
            hurry(batch)
            return batch
    return looking.look_through(batch)


def hurry(batch: Batch) -> None:
    """Ask a worker to go on with it now; the sweep would find it all the same."""
    from django_q.tasks import async_task

    async_task("invoices.tasks.go_on_with_batch", batch.pk, task_name=f"batch-{batch.pk}")


# ─ What a person decides ────────────────────────────────────────────────────────────────────────
def start(*, batch_id: int, by: User) -> Batch:
    """Carry it out; in the caller's transaction, which looked at what was confirmed."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.state != State.READY:
            return batch
        if not batch.items.filter(state=ItemState.WAITING).exists():
            raise BatchRefused(_("None of these documents can be done: see the reasons."))
        batch.state, batch.started_by, batch.started_at = State.RUNNING, by, timezone.now()
        batch.save(update_fields=["state", "started_by", "started_at"])
        hurry(batch)
        return batch


def stop(*, batch_id: int) -> Batch:
    """Nothing more is begun; the one document that is being done this moment may end."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.state == State.RUNNING:
            batch.state = State.STOPPED
            batch.save(update_fields=["state"])
        return batch


def resume(*, batch_id: int, by: User, on: date) -> Batch:
    """Go on with what is left. On another day it is looked through again first: days, numbers and
    reasons may be others, and somebody decides anew."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.state != State.STOPPED:
            return batch
        if batch.on == on:
            batch.state = State.RUNNING
        else:
            batch.state, batch.on = State.LOOKING, on
            batch.items.exclude(state__in=ENDED).update(state=ItemState.NEW)
        batch.started_by = by
        batch.save(update_fields=["state", "on", "started_by"])
        hurry(batch)
        return batch
