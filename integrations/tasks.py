"""What the worker does: ids in, one function called, nothing new when run again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from django_q.tasks import async_task

from integrations.core.http import ProviderError
from integrations.core.runs import SyncRefused, claim, is_orphan, start_sync
from integrations.crm.importing import carry_out
from integrations.einvoicing.directory import ask_about_all, ask_before_sending, ask_if_stale
from integrations.einvoicing.hints import answer_hints, forget_old_hints
from integrations.einvoicing.receiving import AT_NIGHT, OVERLAP, receive
from integrations.einvoicing.sending import send_all
from integrations.models import Connection, SyncRun
from integrations.registry import CRMS, open_crm, open_platform, platform_connection
from invoices.einvoicing.receipts import declare_all
from invoices.models import PlatformFlow

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
    crms = Connection.objects.filter(provider__in=CRMS)
    for connection in crms.filter(state=Connection.State.ACTIVE):
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
    forget_old_hints()


# ─ The approved platform ────────────────────────────────────────────────────────────────────────
def _active_platform() -> Connection | None:
    found = platform_connection()
    return found if found is not None and found.state == Connection.State.ACTIVE else None


def send_to_platform() -> int:
    """Every minute: receipts that were not declared yet, then whatever waits in the outbox."""
    declare_all()
    connection = _active_platform()
    if connection is None:
        return 0
    if PlatformFlow.objects.filter(state=PlatformFlow.State.WAITING).exists():
        with open_platform(connection, attempts=1) as platform:
            ask_before_sending(platform)
    return send_all(connection, open_platform)


def poll_platform() -> None:
    """Every five minutes: what the platform has for us."""
    _receive(OVERLAP)


def poll_platform_again() -> None:
    """Every night: the last days once more, for what showed itself late."""
    _receive(AT_NIGHT)


def _receive(back: timedelta) -> None:
    connection = _active_platform()
    if connection is None:
        return
    begun = timezone.now()
    try:
        with open_platform(connection) as platform:
            receive(connection, platform, back=back)
        answer_hints(connection.provider, begun)
    except ProviderError as error:
        _note_trouble(connection, error)


def ask_directory() -> None:
    """Every night: how each client is reached."""
    connection = _active_platform()
    if connection is None:
        return
    try:
        with open_platform(connection) as platform:
            ask_about_all(platform)
    except ProviderError as error:
        _note_trouble(connection, error)


def ask_directory_about(client_id: int) -> bool:
    """Somebody is about to issue to this client."""
    connection = _active_platform()
    if connection is None:
        return False
    with open_platform(connection, attempts=1) as platform:
        return ask_if_stale(client_id, platform)


def _note_trouble(connection: Connection, error: ProviderError) -> None:
    """Wrong credentials rest until somebody connects again; all else is better the next time."""
    logger.warning("platform: %s", error.notice.code)
    if error.credentials:
        connection.state, connection.pause = Connection.State.PAUSED, error.notice.kept()
        connection.save(update_fields=["state", "pause"])
