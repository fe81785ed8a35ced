"""What the worker does: ids in, one function called, nothing new when run again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from django_q.tasks import async_task

from integrations.core.runs import SyncRefused, claim, is_orphan, start_sync
from integrations.crm.importing import carry_out
from integrations.models import Connection, SyncRun
from integrations.registry import open_crm

logger = logging.getLogger(__name__)


def run_sync(run_id: int) -> str:
    """Work on a run unless somebody else does; a bug fails the task, a refusal only the run."""
    run = claim(run_id)
    if run is None:
        return "not taken"
    return carry_out(run, open_crm=open_crm).state


def sync_changes() -> None:
    """Every few minutes: what changed in each connected CRM."""
    _start_all(full=False)


def sync_everything() -> None:
    """Every night: all of it, which also shows what was deleted."""
    _start_all(full=True)


def _start_all(*, full: bool) -> None:
    for connection in Connection.objects.filter(state=Connection.State.ACTIVE):
        try:
            start_sync(connection_id=connection.pk, full=full, by=None)
        except SyncRefused as refusal:
            logger.info("Connection %s: %s", connection.pk, refusal)


def sweep() -> None:
    """Runs that no worker took or that lost theirs: the row is the truth."""
    open_states = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
    for run in SyncRun.objects.filter(state__in=open_states):
        if is_orphan(run):
            async_task("integrations.tasks.run_sync", run.pk)


def forget_old_runs() -> None:
    """Runs of which nothing is worth knowing any more."""
    old = timezone.now() - timedelta(days=30)
    SyncRun.objects.filter(finished_at__lt=old, created=0, updated=0, refused=0).delete()
