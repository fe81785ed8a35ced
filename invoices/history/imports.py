"""History that comes in through the browser: kept between preview and click, brought in once.

Small files are looked at and brought in within the click, large ones by the worker: its row says
what is to be done (`reading`, `queued`), and whoever finds it left alone goes on with it. The state
changes in the very transaction that writes the rows, so that neither a kill nor a second click does
anything twice.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from billing_portal.accounts.models import User
from billing_portal.notices import Notice
from billing_portal.spreadsheets import ZIP_START
from invoices.history.bringing_in import HistoryInterrupted, HistoryRefused, Source, apply, read
from invoices.history.leaving_out import may_leave_out
from invoices.history.plan import Plan, Rows
from invoices.history.report import report
from invoices.history.spelling import ANSWERS, Answers
from invoices.models import HistoryComplaint, HistoryImport

# The parts of a preview that a person decides on.
CONFIRMED = ("counts", "totals", "changes", "item_changes", "new_types", "left_out")
KINDS = ("clients", "invoices", "payments", "items")
# More than this is left to the worker: no browser waits for it. Bytes of files to be looked at (a
# workbook is a zip, and grows), rows to be written.
AT_ONCE_BYTES = 200_000
WORKBOOK_GROWS = 8
AT_ONCE = 2_000
# More than this, in one file, is left to the command.
MAX_ROWS = 100_000
# A preview that nobody brought in is thrown away.
KEPT_FOR = timedelta(days=2)
# A worker that says nothing for so long was killed, or its task was lost.
LEFT_ALONE_FOR = timedelta(minutes=3)
# So often a worker begins; what kills it each time is given up.
MOST_ATTEMPTS = 3

State = HistoryImport.State
OPEN = (State.READING, State.PREVIEWED, State.QUEUED)


@dataclass(frozen=True)
class Progress:
    done: int
    total: int
    # “reading” or “writing”, and when the worker said so (seconds of the epoch).
    what: str = "writing"
    at: float = 0.0


def keep(
    *, sources: Mapping[str, Source], by: User, on: date, go_live: date | None = None
) -> HistoryImport:
    """Keep the files with what they would do; nothing of them is in the books yet.

    The same files again are the same import: looked at anew when nothing runs, else as it stands.
    """
    HistoryImport.objects.filter(
        state__in=[State.READING, State.PREVIEWED], created_at__lt=timezone.now() - KEPT_FOR
    ).delete()
    fingerprint = _fingerprint(sources, go_live)
    given: dict[str, object] = {"go_live": go_live, "answers": {}, "leave_out": False}
    for kind, (name, content) in sources.items():
        given |= {f"{kind}_name": name[:255], f"{kind}_file": content}
    with transaction.atomic():
        kept, made = HistoryImport.objects.get_or_create(
            created_by=by, fingerprint=fingerprint, state__in=OPEN,
            defaults={**given, "state": State.READING},
        )  # fmt: skip
        kept = HistoryImport.objects.select_for_update().get(pk=kept.pk)
        if not made and kept.state != State.PREVIEWED:
            return kept
        for name, value in given.items():
            setattr(kept, name, value)
        return _to_look(kept, on)


def _fingerprint(sources: Mapping[str, Source], go_live: date | None) -> str:
    found = hashlib.sha256(str(go_live).encode())
    for kind in KINDS:
        if kind in sources:
            name, content = sources[kind]
            found.update(f"\n{kind} {name} ".encode() + hashlib.sha256(content).digest())
    return found.hexdigest()


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
        if kept.state == State.PREVIEWED and said:
            kept.answers = {**kept.answers, **said}
            return _to_look(kept, on)
    return kept


def leave_out(*, import_id: int, by: User, on: date) -> HistoryImport:
    """Look at the files again without the rows that are wrong; nothing comes in by that."""
    with transaction.atomic():
        kept = HistoryImport.objects.select_for_update().get(pk=import_id, created_by=by)
        may = kept.state == State.PREVIEWED and kept.report.get("may_leave_out")
        if may and not kept.leave_out:
            kept.leave_out = True
            return _to_look(kept, on)
    return kept


def _to_look(kept: HistoryImport, on: date) -> HistoryImport:
    """Look at the files now, or have them looked at: under the lock of the caller."""
    sources = _sources(kept)
    if _weight(sources) <= AT_ONCE_BYTES:
        _look(kept, _read(sources, on, kept))
        return kept
    kept.state, kept.rows = State.READING, 0
    kept.report = report(Plan(Rows(names={kind: name for kind, (name, _c) in sources.items()}), on))
    kept.complaints.all().delete()
    _ask_a_worker(kept)
    return kept


def _weight(sources: Mapping[str, Source]) -> int:
    return sum(
        len(content) * (WORKBOOK_GROWS if content.startswith(ZIP_START) else 1)
        for _name, content in sources.values()
    )


def _ask_a_worker(kept: HistoryImport) -> None:
    kept.asked_at, kept.attempts = timezone.now(), 0
    kept.save()
    # A name in the queue outlives a release: it lies where nothing moves. What was queued under an
    # older name fails once, and the sweep takes its row up.
    async_task("invoices.tasks.bring_in_history", kept.pk)


def _look(kept: HistoryImport, plan: Plan) -> None:
    """Keep what the files would do, and what is wrong with them."""
    kept.state = State.PREVIEWED
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
        if kept.state != State.PREVIEWED or not is_ready(kept):
            return kept
        kept.state, kept.asked_at = State.QUEUED, timezone.now()
        kept.save(update_fields=["state", "asked_at"])
        if kept.rows > AT_ONCE:
            _ask_a_worker(kept)
            return kept
    return bring_in(import_id=import_id, on=on)


def run(import_id: int) -> None:
    """The worker's task; done before, it does nothing."""
    on = timezone.localdate()
    begun = HistoryImport.objects.filter(pk=import_id, state__in=[State.READING, State.QUEUED])
    if not begun.update(attempts=F("attempts") + 1, asked_at=timezone.now()):
        return
    kept = begun.filter(attempts__gt=MOST_ATTEMPTS).first()
    if kept is not None:
        _give_up(kept)
    elif begun.filter(state=State.READING).exists():
        look(import_id=import_id, on=on)
    else:
        bring_in(import_id=import_id, on=on)


def _give_up(kept: HistoryImport) -> None:
    """Told, rather than begun for ever: what is queued may be clicked again, what could not even be
    read is refused."""
    kept.report["interrupted"] = Notice("history.gave_up").kept()
    kept.state = State.PREVIEWED if kept.state == State.QUEUED else State.REFUSED
    kept.save(update_fields=["state", "report"])


def sweep() -> int:
    """Take up what waits although no worker has it: its task was lost, or its process killed."""
    waiting = HistoryImport.objects.filter(
        Q(asked_at__isnull=True) | Q(asked_at__lt=timezone.now() - LEFT_ALONE_FOR),
        state__in=[State.READING, State.QUEUED],
    )
    idle = [kept.pk for kept in waiting.only("pk") if not is_moving(kept)]
    for pk in idle:
        run(pk)
    return len(idle)


def look(*, import_id: int, on: date) -> HistoryImport:
    """Read the files of a large import, and keep what they would do."""
    kept = HistoryImport.objects.get(pk=import_id)
    try:
        plan = _read(_sources(kept), on, kept, _said_to_board(import_id))
        with transaction.atomic():
            now = HistoryImport.objects.select_for_update().filter(pk=import_id).first()
            # Thrown away meanwhile, looked at by somebody else, or asked with other answers.
            if now is None or now.state != State.READING or now.answers != kept.answers:
                return kept
            _look(now, plan)
            return now
    finally:
        _board().delete(_key(import_id))


def bring_in(*, import_id: int, on: date) -> HistoryImport:
    kept = HistoryImport.objects.select_related("created_by").get(pk=import_id)
    if kept.state != State.QUEUED:
        return kept
    plan = _read(_sources(kept), on, kept, _said_to_board(import_id))
    try:
        with transaction.atomic():
            kept = (
                HistoryImport.objects.select_for_update(of=("self",))
                .select_related("created_by")
                .get(pk=import_id)
            )
            if kept.state != State.QUEUED:
                return kept
            if _says_otherwise(plan, kept):
                return kept
            plan = apply(
                plan,
                by=kept.created_by,
                on=on,
                progress=_said_to_board(import_id, "writing"),
            )
            kept.state = State.DONE
            kept.done_at = timezone.now()
            _finish(kept, report(plan))
    except HistoryRefused as refusal:
        kept.state = State.REFUSED
        _finish(kept, report(refusal.plan))
        _keep_complaints(kept, refusal.plan)
    except HistoryInterrupted as interruption:
        # The files stay: the same click may succeed now.
        kept.state = State.PREVIEWED
        kept.report["interrupted"] = interruption.notice.kept()
        kept.save(update_fields=["state", "report"])
    finally:
        _board().delete(_key(import_id))
    return kept


def _says_otherwise(plan: Plan, kept: HistoryImport) -> bool:
    """What was confirmed is what comes in: books that moved since the preview are shown first."""
    now = json.loads(json.dumps(report(plan)))
    if now["refused"] or all(now[part] == kept.report.get(part, now[part]) for part in CONFIRMED):
        return False
    kept.state = State.PREVIEWED
    kept.report = now | {"interrupted": Notice("history.moved").kept()}
    kept.save(update_fields=["state", "report"])
    return True


def _finish(kept: HistoryImport, told: dict[str, object]) -> None:
    kept.report = told
    kept.clients_file = kept.invoices_file = kept.payments_file = kept.items_file = b""
    kept.save()


def discard(*, import_id: int, by: User) -> None:
    """Throw a preview away, or files that are being read; what was brought in stays."""
    HistoryImport.objects.filter(
        pk=import_id, created_by=by, state__in=[State.READING, State.PREVIEWED]
    ).delete()


def is_ready(kept: HistoryImport) -> bool:
    """Nothing is wrong with the files, and nothing is left to ask."""
    return not kept.report["refused"] and not kept.report.get("questions")


def progress_of(kept: HistoryImport) -> Progress | None:
    """How far the worker is; None before it has begun."""
    found = _board().get(_key(kept.pk))
    return Progress(*found) if found else None


def is_moving(kept: HistoryImport) -> bool:
    """A worker has said something of it lately."""
    progress = progress_of(kept)
    return progress is not None and time.time() - progress.at < LEFT_ALONE_FOR.total_seconds()


def _said_to_board(import_id: int, what: str = "reading") -> Callable[[int, int], None]:
    board = _board()

    def say(done: int, total: int) -> None:
        board.set(_key(import_id), (done, total, what, time.time()), 3600)

    return say


def _read(
    sources: Mapping[str, Source],
    on: date,
    kept: HistoryImport,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Plan:
    return read(
        sources=sources,
        on=on,
        go_live=kept.go_live,
        answers=kept.answers,
        max_rows=MAX_ROWS,
        leave_out=kept.leave_out,
        progress=progress,
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
