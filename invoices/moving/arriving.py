"""The file of `leaving` into an empty portal: the same rows, ids, moments and hashes, or nothing.

One transaction writes all and verifies the books before it ends; the rules of the database stay in
force throughout, for each row is written at a moment at which they allow it (tables.py).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib.auth.hashers import make_password
from django.core.management.color import no_style
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from billing_portal.seals import keys
from invoices.accounting import books
from invoices.accounting.broken import Broken
from invoices.accounting.journal.journal import batches
from invoices.models import BooksHead
from invoices.models.facts import MODELS, model_of
from invoices.models.standing import Purpose
from invoices.moving import tables
from invoices.moving.file import BooksFile, BooksRefused
from invoices.moving.leaving import waiting_now

_BATCH, _BATCH_OF_FILES = 1_000, 20
Progress = Callable[[str, int], None]


class Arrived(NamedTuple):
    rows: int
    sha256: str
    # Keys that sealed rows of the books and that this portal does not have.
    unknown_keys: list[str]
    waiting: int


class NotWhole(BooksRefused):
    """The rows are what the file says, and the books that they make do not hold."""

    def __init__(self, broken: list[Broken]) -> None:
        super().__init__(
            _("The books of the file do not hold: %(count)s things are broken. Nothing was kept.")
            % {"count": len(broken)}
        )
        self.broken = broken


def bring_in(
    path: Path,
    *,
    without_keys: bool = False,
    progress: Progress = lambda _label, _rows: None,
) -> Arrived:
    """Raises BooksRefused, and OSError where the file cannot be opened. `without_keys`: also where
    this portal lacks a key that sealed the books; what a seal would prove is then not proven."""
    try:
        with zipfile.ZipFile(path) as opened:
            file = BooksFile(opened)
            _refuse_unless_empty()
            # Before the first row is written: most files that are wrong are found out here.
            file.check()
            with transaction.atomic():
                return _write(file, without_keys, progress)
    except zipfile.BadZipFile:
        raise BooksRefused(_("The file is no ZIP, or not whole: copy it again.")) from None
    except (DatabaseError, ValueError, OverflowError) as refusal:
        raise BooksRefused(
            _("The database refuses a row of the file: %(why)s. Nothing was kept.")
            % {"why": str(refusal).strip().splitlines()[0]}
        ) from None


def _refuse_unless_empty() -> None:
    held = {
        label: count
        for label, table in tables.tables().items()
        if label not in tables.THERE_FROM_THE_START and (count := table._base_manager.count())
    }
    if held:
        names = tables.tables()
        raise BooksRefused(
            _("This portal is not empty, and books come into an empty one only. It has: %(what)s.")
            % {
                "what": ", ".join(
                    f"{names[label]._meta.verbose_name_plural} ({count})"
                    for label, count in held.items()
                )
            }
        )


def _write(file: BooksFile, without_keys: bool, progress: Progress) -> Arrived:
    every = tables.tables()
    for label in tables.THERE_FROM_THE_START:
        every[label]._base_manager.all().delete()
    for label, part in tables.way_back():
        rows = _part(file, label, part)
        progress(label, _insert(every[label], rows))
    _set_sequences()
    # References to rows that are not there, told now and in words rather than at the very end.
    connection.check_constraints()
    missing = _unknown_keys()
    if missing and not without_keys:
        raise BooksRefused(
            _(
                "The books were sealed with %(names)s, which this portal does not have. Put the "
                "BOOKS_KEYS (and, without any, the SECRET_KEY) of the old portal behind its own. "
                "Or bring the books in without them: then hashes, files and sums are still proven, "
                "and who wrote the rows is not."
            )
            % {"names": ", ".join(missing)}
        )
    broken = books.verify_without_keys() if missing else books.verify()
    if broken:
        raise NotWhole(broken)
    return Arrived(file.rows, file.sha256, missing, waiting_now())


def _part(file: BooksFile, label: str, part: str) -> Iterator[list[Any]]:
    """Of the invoices deposits or the others: the file is read twice for them."""
    rows = file.rows_of(label)
    if not part:
        return rows
    names = [field.attname for field in tables.columns(tables.tables()[label])]
    at, wanted = names.index("purpose"), part == tables.DEPOSITS
    return (row for row in rows if (row[at] == Purpose.DEPOSIT) == wanted)


def _insert(table: tables.Table, rows: Iterable[list[Any]]) -> int:
    """As they are: no seal, no key and no moment is made anew, as saving a row would."""
    fields, others = tables.columns(table), tables.defaults(table)
    given = [_default(field) for field in others]
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(field.column) for field in (*fields, *others))
    places = ", ".join(["%s"] * (len(fields) + len(others)))
    sql = f"INSERT INTO {quoted(table._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
    files = any(field.get_internal_type() == "BinaryField" for field in fields)
    count = 0
    with connection.cursor() as cursor:
        for batch in batches(rows, _BATCH_OF_FILES if files else _BATCH):
            cursor.executemany(
                sql,
                [
                    [
                        field.get_db_prep_save(value, connection)
                        for field, value in zip((*fields, *others), (*row, *given), strict=True)
                    ]
                    for row in batch
                ],
            )
            count += len(batch)
    return count


def _default(field: Any) -> Any:
    # Of a person: one that nobody knows.
    return make_password(None) if field.name == "password" else field.get_default()


def _set_sequences() -> None:
    statements = connection.ops.sequence_reset_sql(no_style(), list(tables.tables().values()))
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def _unknown_keys() -> list[str]:
    found = set(BooksHead.objects.order_by().values_list("key", flat=True).distinct())
    with connection.cursor() as cursor:
        for kind in MODELS:
            table = model_of(kind)._meta.db_table
            cursor.execute(
                # A seal begins with its version and its key (billing_portal/seals.py).
                f"SELECT DISTINCT SUBSTR(seal, 1, 16) FROM {table} "  # noqa: S608
                "WHERE seal IS NOT NULL"
            )
            found |= {seal.split(".")[1] for (seal,) in cursor.fetchall() if seal.count(".")}
    return sorted(found - {key.name for key in keys()})
