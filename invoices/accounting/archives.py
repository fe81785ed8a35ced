"""Yearly archives that a person asks for in the browser: one at a time, made by a worker.

The row says that one is to be made, and the queue only hurries: a worker that was killed is
replaced once it has said nothing for some minutes. A file appears under its name when it is whole;
of each year the youngest is kept, so that the folder grows by the year and not by the click.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from billing_portal.accounts.models import User
from billing_portal.notices import Notice
from invoices.accounting.archive import ArchiveRefused, archive
from invoices.models import BooksArchive, Invoice, Payment

logger = logging.getLogger(__name__)
State = BooksArchive.State
# A worker that says nothing for so long was killed. The digest of a large file takes a while.
LEFT_ALONE_FOR: Final = timedelta(minutes=5)
MOST_ATTEMPTS: Final = 3


class ArchiveBusy(Exception):
    """Another one is being made; the message is written for staff."""


def folder() -> Path:
    return Path(settings.ARCHIVES_DIR)


def years(on: date) -> list[int]:
    """Those that the books have something of, the last one first."""
    first = Invoice.objects.issued().aggregate(day=Min("issue_date"))["day"]
    paid = Payment.objects.aggregate(day=Min("received_on"))["day"]
    days = [day for day in (first, paid) if day is not None]
    # archive() knows no books from before 2000.
    return list(range(on.year, max(2000, min(days).year) - 1, -1)) if days else []


def is_unfinished(year: int, on: date) -> bool:
    """Something may still be dated in it."""
    return on <= date(year, 12, 31)


def ask(*, year: int, by: User, on: date) -> BooksArchive:
    """Have the archive of a year made. Raises ArchiveRefused; ArchiveBusy beside another one."""
    if year not in years(on):
        raise ArchiveRefused(_("There are no books of the year %(year)s.") % {"year": year})
    try:
        with transaction.atomic():
            row = BooksArchive.objects.create(
                year=year, asked_by=by, unfinished=is_unfinished(year, on)
            )
            _hurry(row)
            return row
    except IntegrityError:
        raise ArchiveBusy(
            _("Another archive is being made: ask again when it is done. Nothing was begun.")
        ) from None


def _hurry(row: BooksArchive) -> None:
    async_task("invoices.tasks.make_archive", row.pk, task_name=f"archive-{row.pk}")


def make(archive_id: int, *, on: date) -> str:
    """The worker's task; run twice at once or after a crash it makes one file. The state then."""
    mine = BooksArchive.objects.filter(_free(), pk=archive_id, state=State.MAKING)
    if not mine.update(said_at=timezone.now(), attempts=F("attempts") + 1):
        return "untouched"
    row = BooksArchive.objects.get(pk=archive_id)
    if row.attempts > MOST_ATTEMPTS:
        _fail(row, Notice("archive.gave_up"))
        return row.state
    # Two that make it at once, as one was taken for dead, write two files.
    name = f"books-{row.year}-{row.pk}-{row.attempts}.zip"
    try:
        made = archive(
            year=row.year,
            path=folder() / name,
            on=on,
            progress=lambda done, total: _say(row.pk, done, total),
        )
    except ArchiveRefused as refusal:
        _fail(row, Notice("archive.refused", why=str(refusal)))
    except OSError as trouble:
        logger.exception("Archive %s was not written", row.pk)
        _fail(row, Notice("archive.disk", why=trouble.strerror or type(trouble).__name__))
    else:
        with transaction.atomic():
            now = BooksArchive.objects.select_for_update().get(pk=archive_id)
            if now.state != State.MAKING:
                made.path.unlink(missing_ok=True)
                return now.state
            now.state, now.done_at, now.file_name = State.DONE, timezone.now(), name
            now.documents, now.files, now.sha256 = made.documents, made.files, made.sha256
            now.size = made.path.stat().st_size
            now.save()
        _drop_older(now)
        return now.state
    return row.state


def _free() -> Q:
    return Q(said_at__isnull=True) | Q(said_at__lt=timezone.now() - LEFT_ALONE_FOR)


def _say(pk: int, done: int, total: int) -> None:
    BooksArchive.objects.filter(pk=pk).update(done=done, total=total, said_at=timezone.now())


def _fail(row: BooksArchive, notice: Notice) -> None:
    row.state, row.problem = State.FAILED, notice.kept()
    row.save(update_fields=["state", "problem"])


def _drop_older(row: BooksArchive) -> None:
    """The row of what was made stays, with its hash: a copy kept elsewhere is still recognised."""
    older = BooksArchive.objects.filter(year=row.year, pk__lt=row.pk).exclude(file_name="")
    for each in older:
        path_of(each).unlink(missing_ok=True)
        each.file_name = ""
        each.save(update_fields=["file_name"])
    # What a worker that was killed left half written.
    for half in folder().glob("*.part"):
        if half.stat().st_mtime < (timezone.now() - timedelta(days=1)).timestamp():
            half.unlink(missing_ok=True)


def path_of(row: BooksArchive) -> Path:
    return folder() / row.file_name


def sweep(on: date) -> int:
    """Take up what no worker has."""
    idle = BooksArchive.objects.filter(
        _free(), state=State.MAKING, asked_at__lt=timezone.now() - timedelta(minutes=1)
    )
    pks = list(idle.values_list("pk", flat=True))
    for pk in pks:
        make(pk, on=on)
    return len(pks)
