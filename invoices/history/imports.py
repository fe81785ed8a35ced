"""History that comes in through the browser: kept between preview and click, brought in once.

Small files are brought in within the click, large ones by the worker. The state changes in the very
transaction that writes the rows, so that neither a kill nor a second click does anything twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from billing_portal.accounts.models import User
from billing_portal.notices import Notice
from invoices.history.bringing_in import HistoryInterrupted, HistoryRefused, Source, apply, read
from invoices.history.leaving_out import may_leave_out
from invoices.history.plan import Plan
from invoices.history.report import report
from invoices.history.spelling import ANSWERS, Answers
from invoices.models import HistoryComplaint, HistoryImport

# The parts of a preview that a person decides on.
CONFIRMED = ("counts", "totals", "changes", "item_changes", "new_types", "left_out")
KINDS = ("clients", "invoices", "payments", "items")
# More than this is left to the worker: no browser waits for it.
AT_ONCE = 2_000
# More than this, in one file, is left to the command: the preview must answer in time.
MAX_ROWS = 30_000
# A preview that nobody brought in is thrown away.
KEPT_FOR = timedelta(days=2)
# The queue gives a task a second time after 40 minutes; the sweep comes later.
LEFT_ALONE_FOR = timedelta(minutes=45)


@dataclass(frozen=True)
class Progress:
    done: int
    total: int


def keep(
    *, sources: Mapping[str, Source], by: User, on: date, go_live: date | None = None
) -> HistoryImport:
    """Read the files and keep them with what they would do; nothing of them is in the books yet."""
    HistoryImport.objects.filter(
        state=HistoryImport.State.PREVIEWED, created_at__lt=timezone.now() - KEPT_FOR
    ).delete()
    kept = HistoryImport(created_by=by, go_live=go_live)
    for kind, (name, content) in sources.items():
        setattr(kept, f"{kind}_name", name[:255])
        setattr(kept, f"{kind}_file", content)
    with transaction.atomic():
        _look(kept, _read(sources, on, kept))
    return kept


def answer(*, import_id: int, by: User, answers: Answers, on: date) -> HistoryImport:
    """Read the kept files again, with what was said of columns that can be read in two ways."""
    with transaction.atomic():
        kept = HistoryImport.objects.select_for_update().get(pk=import_id, created_by=by)
        asked = {question["name"]: question for question in kept.report.get("questions", [])}
        said = {
            name: choice
            for name, choice in answers.items()
            if name in asked and choice in ANSWERS[asked[name]["what"]]
        }
        if kept.state == HistoryImport.State.PREVIEWED and said:
            kept.answers = {**kept.answers, **said}
            _look(kept, _read(_sources(kept), on, kept))
    return kept


def leave_out(*, import_id: int, by: User, on: date) -> HistoryImport:
    """Look at the files again without the rows that are wrong; nothing comes in by that."""
    with transaction.atomic():
        kept = HistoryImport.objects.select_for_update().get(pk=import_id, created_by=by)
        may = kept.state == HistoryImport.State.PREVIEWED and kept.report.get("may_leave_out")
        if may and not kept.leave_out:
            kept.leave_out = True
            _look(kept, _read(_sources(kept), on, kept))
    return kept


def _look(kept: HistoryImport, plan: Plan) -> None:
    """Keep what the files would do, and what is wrong with them."""
    kept.rows, kept.report = plan.rows.count, report(plan)
    if plan.complaints and not plan.rows.questions and not may_leave_out(plan):
        # Refused files are of no further use: the corrected ones come instead.
        kept.clients_file = kept.invoices_file = kept.payments_file = kept.items_file = b""
    kept.save()
    _keep_complaints(kept, plan)


def _keep_complaints(kept: HistoryImport, plan: Plan) -> None:
    kinds = {name: kind for kind, name in plan.rows.names.items() if name}
    kept.complaints.all().delete()
    HistoryComplaint.objects.bulk_create(
        (
            HistoryComplaint(
                history=kept,
                file=c.file,
                line=c.line,
                column=c.column,
                notice=c.notice.kept(),
                kind=kinds[c.file],
                cells=plan.cells_left_out.get(kinds[c.file], {}).get(c.line, {}),
            )
            for c in plan.complaints or plan.left_out
        ),
        batch_size=2_000,
    )


def start(*, import_id: int, by: User, on: date) -> HistoryImport:
    """Bring the kept files in, now or by the worker. A second start finds nothing left to do."""
    with transaction.atomic():
        kept = HistoryImport.objects.select_for_update().get(pk=import_id, created_by=by)
        if kept.state != HistoryImport.State.PREVIEWED or not is_ready(kept):
            return kept
        kept.state = HistoryImport.State.QUEUED
        kept.save(update_fields=["state"])
        if kept.rows > AT_ONCE:
            # A name in the queue outlives a release: it lies where nothing moves. What was queued
            # under an older name fails once, and the sweep takes its row up.
            async_task("invoices.tasks.bring_in_history", kept.pk)
            return kept
    return bring_in(import_id=import_id, on=on)


def run(import_id: int) -> None:
    """The worker's task; done before, it does nothing."""
    bring_in(import_id=import_id, on=timezone.localdate())


def sweep() -> int:
    """Take up what waits although no worker has it: its task was lost or gave up."""
    waiting = HistoryImport.objects.filter(
        state=HistoryImport.State.QUEUED, created_at__lt=timezone.now() - LEFT_ALONE_FOR
    )
    idle = [kept.pk for kept in waiting.only("pk") if progress_of(kept) is None]
    for pk in idle:
        run(pk)
    return len(idle)


def bring_in(*, import_id: int, on: date) -> HistoryImport:
    kept = HistoryImport.objects.select_related("created_by").get(pk=import_id)
    if kept.state != HistoryImport.State.QUEUED:
        return kept
    board = _board()
    plan = _read(_sources(kept), on, kept)
    try:
        with transaction.atomic():
            kept = (
                HistoryImport.objects.select_for_update(of=("self",))
                .select_related("created_by")
                .get(pk=import_id)
            )
            if kept.state != HistoryImport.State.QUEUED:
                return kept
            if _says_otherwise(plan, kept):
                return kept
            plan = apply(
                plan,
                by=kept.created_by,
                on=on,
                progress=lambda done, total: board.set(_key(import_id), (done, total), 3600),
            )
            kept.state = HistoryImport.State.DONE
            kept.done_at = timezone.now()
            _finish(kept, report(plan))
    except HistoryRefused as refusal:
        kept.state = HistoryImport.State.REFUSED
        _finish(kept, report(refusal.plan))
        _keep_complaints(kept, refusal.plan)
    except HistoryInterrupted as interruption:
        # The files stay: the same click may succeed now.
        kept.state = HistoryImport.State.PREVIEWED
        kept.report["interrupted"] = interruption.notice.kept()
        kept.save(update_fields=["state", "report"])
    finally:
        board.delete(_key(import_id))
    return kept


def _says_otherwise(plan: Plan, kept: HistoryImport) -> bool:
    """What was confirmed is what comes in: books that moved since the preview are shown first."""
    now = json.loads(json.dumps(report(plan)))
    if now["refused"] or all(now[part] == kept.report.get(part, now[part]) for part in CONFIRMED):
        return False
    kept.state = HistoryImport.State.PREVIEWED
    kept.report = now | {"interrupted": Notice("history.moved").kept()}
    kept.save(update_fields=["state", "report"])
    return True


def _finish(kept: HistoryImport, told: dict[str, object]) -> None:
    kept.report = told
    kept.clients_file = kept.invoices_file = kept.payments_file = kept.items_file = b""
    kept.save()


def discard(*, import_id: int, by: User) -> None:
    """Throw a preview away; what was brought in stays."""
    HistoryImport.objects.filter(
        pk=import_id, created_by=by, state=HistoryImport.State.PREVIEWED
    ).delete()


def is_ready(kept: HistoryImport) -> bool:
    """Nothing is wrong with the files, and nothing is left to ask."""
    return not kept.report["refused"] and not kept.report.get("questions")


def progress_of(kept: HistoryImport) -> Progress | None:
    """How far the worker is; None before it has begun to write."""
    found = _board().get(_key(kept.pk))
    return Progress(*found) if found else None


def _read(sources: Mapping[str, Source], on: date, kept: HistoryImport) -> Plan:
    return read(
        sources=sources,
        on=on,
        go_live=kept.go_live,
        answers=kept.answers,
        max_rows=MAX_ROWS,
        leave_out=kept.leave_out,
    )


def _sources(kept: HistoryImport) -> dict[str, Source]:
    return {
        kind: (getattr(kept, f"{kind}_name"), bytes(getattr(kept, f"{kind}_file")))
        for kind in KINDS
        if getattr(kept, f"{kind}_name")
    }


def _key(import_id: int) -> str:
    return f"history-import-{import_id}"


def _board() -> BaseCache:
    """Where the worker writes how far it is while its one transaction hides its rows.

    Not the database: on SQLite the open transaction would keep the board waiting for itself.
    """
    if settings.REDIS_URL:
        return caches["default"]
    return FileBasedCache(str(settings.VAR_DIR / "progress"), {})
