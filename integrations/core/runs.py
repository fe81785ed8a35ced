"""How an import starts, who works on it, and what it leaves behind if it is interrupted."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from billing_portal.accounts.models import User
from billing_portal.notices import Notice
from integrations.models import Connection, SyncRefusal, SyncRun

# A run without a sign of life for so long has lost its process.
SILENCE: Final = timedelta(minutes=2)
# Where a stopped run was is worth something for so long; then the provider's cursors are stale.
RESUMABLE: Final = timedelta(hours=24)
BEAT_SECONDS: Final = 15.0
COUNTS: Final = ("created", "updated", "unchanged", "refused")


class SyncRefused(Exception):
    """No import starts; the message says why and what to do."""


# Of what a stopped run left, what the next one goes on with.
_CARRIED: Final = ("step", "since", "cursor", "newest", "begun", "moves")


class TakenOver(Exception):
    """Another process has this run now; this one writes nothing more."""


def start_sync(
    *,
    connection_id: int,
    full: bool,
    by: User | None,
    enqueue: bool = True,
    check_missing: bool = False,
) -> SyncRun:
    """A run that waits for a worker. Raises SyncRefused.

    It goes on where a run that stopped within the last day was: an import of changes where either
    kind was, a full one only where a full one was, for what another left unread stays unread.
    `check_missing` looks up each object that is no longer seen, however many they are.
    """
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection_id)
        if connection.state == Connection.State.PAUSED:
            raise SyncRefused(connection.pause_text or _("The connection rests: connect again."))
        last = connection.runs.first()
        if last is not None and last.state in (SyncRun.State.QUEUED, SyncRun.State.RUNNING):
            if not is_orphan(last):
                raise SyncRefused(_("An import is running already; wait until it is done."))
            if enqueue:
                async_task("integrations.tasks.run_sync", last.pk)
            return last
        resume: dict[str, Any] = {}
        if (
            last is not None
            and last.state == SyncRun.State.FAILED
            and last.resume.get("step")
            and (last.full or not full)
            and not check_missing
            and last.queued_at > timezone.now() - RESUMABLE
        ):
            resume = {key: last.resume[key] for key in _CARRIED if key in last.resume}
            full = last.full
            check_missing = last.check_missing
        try:
            with transaction.atomic():
                run = SyncRun.objects.create(
                    connection=connection,
                    full=full,
                    check_missing=check_missing,
                    started_by=by,
                    resume=resume,
                )
        except IntegrityError:
            raise SyncRefused(_("An import is running already; wait until it is done.")) from None
        if enqueue:
            # In the same database: the task exists exactly if the run does.
            async_task("integrations.tasks.run_sync", run.pk)
        return run


def is_orphan(run: SyncRun) -> bool:
    """Whether nobody works on it any more, as far as can be told from here."""
    if run.state == SyncRun.State.QUEUED:
        return run.queued_at < timezone.now() - SILENCE
    return run.beat_at is None or run.beat_at < timezone.now() - SILENCE


def _new_claim() -> str:
    return f"{socket.gethostname()}|{os.getpid()}|{uuid.uuid4().hex}"


def claim(run_id: int) -> SyncRun | None:
    """Take a waiting or orphaned run for this process; None if there is nothing to take."""
    with transaction.atomic():
        run = SyncRun.objects.select_for_update().filter(pk=run_id).first()
        if run is None:
            return None
        waiting = run.state == SyncRun.State.QUEUED
        if not waiting and not (run.state == SyncRun.State.RUNNING and is_orphan(run)):
            return None
        run.state = SyncRun.State.RUNNING
        run.resume = {**run.resume, "claim": _new_claim()}
        run.beat_at = timezone.now()
        run.started_at = run.started_at or run.beat_at
        run.save(update_fields=["state", "resume", "beat_at", "started_at"])
        return SyncRun.objects.select_related("connection", "started_by").get(pk=run.pk)


class Journal:
    """What a run keeps: each page's rows and its place are written in one transaction."""

    writes = True

    def __init__(self, run: SyncRun, on_progress: Callable[[SyncRun], None] | None = None) -> None:
        self.run = run
        self.claim = run.resume.get("claim")
        self.requests_before = run.requests
        self.client_requests: Callable[[], int] = lambda: 0
        self._on_progress = on_progress
        self._refusals: list[SyncRefusal] = []
        self._last_beat = time.monotonic()

    def count(self, word: str, many: int = 1) -> None:
        if not many:
            return
        setattr(self.run, word, getattr(self.run, word) + many)
        step = self.run.progress.setdefault(self.run.step, {"done": 0, "total": None})
        step[word] = step.get(word, 0) + many

    def refuse(self, kind: str, external_id: object, label: str, reason: Notice) -> None:
        self.count("refused")
        self._note(kind, external_id, label, [reason], taken=False)

    def notice(self, kind: str, external_id: object, label: str, reasons: list[Notice]) -> None:
        if reasons:
            self._note(kind, external_id, label, reasons, taken=True)

    def kept(self, notice: Notice) -> dict[str, Any]:
        """A notice as a row keeps it, with the provider's name."""
        return notice.kept(provider=str(self.run.connection))

    def _note(
        self, kind: str, external_id: object, label: str, reasons: list[Notice], *, taken: bool
    ) -> None:
        self._refusals.append(
            SyncRefusal(
                run=self.run,
                kind=kind,
                external_id=str(external_id or "")[:80],
                label=label[:255],
                notices=[self.kept(reason) for reason in reasons],
                taken=taken,
            )
        )

    def begin(self, step: str) -> None:
        self.run.step = step
        self.run.progress.setdefault(step, {"done": 0, "total": None})

    def advance(
        self, step: str, many: int, total: int | None = None, *, done: bool = False
    ) -> None:
        place = self.run.progress.setdefault(step, {"done": 0, "total": None})
        place["done"] += many
        if total is not None:
            place["total"] = total
        if done or (place["total"] is not None and place["total"] < place["done"]):
            place["total"] = place["done"]

    def place(self, **where: Any) -> None:
        """Where to go on after a crash; None forgets a key."""
        self.run.resume.update(where)

    @contextmanager
    def page(self) -> Iterator[None]:
        """Raises TakenOver instead of writing beside another process."""
        with transaction.atomic():
            held = SyncRun.objects.select_for_update().get(pk=self.run.pk)
            if held.state != SyncRun.State.RUNNING or held.resume.get("claim") != self.claim:
                raise TakenOver
            yield
            SyncRefusal.objects.bulk_create(self._refusals)
            self._save("step", "progress", "resume", *COUNTS)
        self._refusals.clear()
        if self._on_progress:
            self._on_progress(self.run)

    def _save(self, *fields: str) -> None:
        self.run.requests = self.requests_before + self.client_requests()
        self.run.beat_at = timezone.now()
        self._last_beat = time.monotonic()
        self.run.save(update_fields=[*fields, "requests", "beat_at"])

    def beat(self) -> None:
        """Called before each request: a long page must not look like a dead process."""
        if time.monotonic() - self._last_beat > BEAT_SECONDS:
            self._save()

    def sleep(self, seconds: float) -> None:
        while seconds > 0:
            time.sleep(min(seconds, BEAT_SECONDS))
            seconds -= BEAT_SECONDS
            self.beat()

    def finish(self) -> None:
        with self.page():
            self.run.state = SyncRun.State.DONE
            self.run.finished_at = timezone.now()
            self.run.step = ""
            self.run.resume = {}
            self.run.save(update_fields=["state", "finished_at"])
            Connection.objects.filter(pk=self.run.connection_id).update(
                last_synced_at=self.run.finished_at
            )

    def fail(self, reason: Notice, *, pause: bool = False) -> None:
        """Stop, and say why; the place is kept, so that the next run goes on there."""
        with transaction.atomic():
            held = SyncRun.objects.select_for_update().get(pk=self.run.pk)
            if held.resume.get("claim") != self.claim:
                return
            held.state, held.finished_at = SyncRun.State.FAILED, timezone.now()
            held.failure = self.kept(reason)
            held.requests = self.requests_before + self.client_requests()
            held.resume.pop("claim", None)
            held.save(update_fields=["state", "failure", "finished_at", "requests", "resume"])
            if pause:
                Connection.objects.filter(pk=held.connection_id).update(
                    state=Connection.State.PAUSED, pause=held.failure, pause_reason=""
                )
        self.run.state, self.run.failure = held.state, held.failure
        self.run.finished_at = held.finished_at


class DryJournal(Journal):
    """Counts, and writes nothing that stays: its caller rolls everything back."""

    writes = False

    @contextmanager
    def page(self) -> Iterator[None]:
        with transaction.atomic():
            yield
        if self._on_progress:
            self._on_progress(self.run)

    def _save(self, *fields: str) -> None:
        self.run.requests = self.client_requests()

    def finish(self) -> None:
        self._save()
        self.run.state = SyncRun.State.DONE

    @property
    def refusals(self) -> list[SyncRefusal]:
        return self._refusals
