"""All the books as one file, from which an empty portal becomes the same (docs/moving.md).

A ZIP of one JSON Lines file per table, read and written a row at a time: what is in memory is a
batch of rows. Of the same books it is the same to the byte, but for header.json, which says when
it was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from billing_portal.seals import keys
from invoices.accounting.chain import linking
from invoices.models import Message, PlatformFlow
from invoices.moving import spelling, tables

FORMAT, VERSION = "billing-portal-books", 1
HEADER, MANIFEST, PROOF = "header.json", "manifest.json", "manifest.sha256"
_BATCH, _BATCH_OF_FILES = 2_000, 20
Progress = Callable[[str, int], None]


class Written(NamedTuple):
    path: Path
    rows: int
    # Of the manifest, which names the SHA-256 of each table: what two equal books have in common.
    sha256: str
    # Emails and files for the platform that wait: whoever goes on with the books sends them.
    waiting: int


def member(label: str) -> str:
    return f"tables/{label}.jsonl"


def line_of(value: Any) -> bytes:
    """Keys in one order: PostgreSQL keeps those of a JSON column in its own."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def schema() -> dict[str, str]:
    """The last migration of each app: the shape of the tables."""
    labels = {table._meta.app_label for table in tables.tables().values()}
    found: dict[str, str] = {}
    for app, name in MigrationRecorder(connection).applied_migrations():
        if app in labels:
            found[app] = max(found.get(app, ""), name)
    return found


def export(path: Path, *, progress: Progress = lambda _label, _rows: None) -> Written:
    """The file appears under its name when it is whole. Raises OSError."""
    # What nobody linked yet would be linked by the other portal, with its own key.
    linking.link_new(thoroughly=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with one_moment(), zipfile.ZipFile(half, "w", allowZip64=True) as file:
            rows, sha256 = _write(file, progress)
            waiting = waiting_now()
        half.replace(path)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()
    return Written(path, rows, sha256, waiting)


def waiting_now() -> int:
    left = (Message.State.QUEUED, Message.State.SENDING)
    return (
        Message.objects.filter(state__in=left).count()
        + PlatformFlow.objects.filter(state=PlatformFlow.State.WAITING).count()
    )


@contextmanager
def one_moment() -> Iterator[None]:
    """All tables as they were at one moment, while others go on writing."""
    if connection.in_atomic_block:
        yield
        return
    before = getattr(connection, "transaction_mode", None)
    try:
        if connection.vendor == "sqlite":
            # A reader's transaction: it holds up no writer.
            connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    finally:
        if connection.vendor == "sqlite":
            connection.transaction_mode = before  # type: ignore[attr-defined]


def _write(file: zipfile.ZipFile, progress: Progress) -> tuple[int, str]:
    header = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": timezone.now().isoformat(),
        "schema": schema(),
        "keys": [key.name for key in keys()],
    }
    _put(file, HEADER, line_of(header))
    listed = {}
    for label, table in tables.tables().items():
        listed[label] = _table(file, label, table)
        progress(label, listed[label]["rows"])
    said = {
        "tables": listed,
        "left_out": {**tables.FOREIGN_APPS, **tables.LEFT_OUT, **tables.LEFT_OUT_COLUMNS},
    }
    manifest = line_of(said)
    sha256 = hashlib.sha256(manifest).hexdigest()
    _put(file, MANIFEST, manifest)
    _put(file, PROOF, f"{sha256}\n".encode())
    return sum(each["rows"] for each in listed.values()), sha256


def _put(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    file.writestr(_info(name), content)


def _info(name: str) -> zipfile.ZipInfo:
    # Always the same day, so that equal books make equal bytes.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _table(file: zipfile.ZipFile, label: str, table: tables.Table) -> dict[str, Any]:
    fields = tables.columns(table)
    found, size, rows = hashlib.sha256(), 0, 0
    with file.open(_info(member(label)), "w", force_zip64=True) as out:

        def put(line: bytes) -> None:
            nonlocal size
            out.write(line)
            found.update(line)
            size += len(line)

        put(line_of([field.attname for field in fields]))
        for row in _rows(table, fields):
            put(line_of([spelling.written(f, v) for f, v in zip(fields, row, strict=True)]))
            rows += 1
    return {"rows": rows, "bytes": size, "sha256": found.hexdigest()}


def _rows(table: tables.Table, fields: list[Any]) -> Iterator[tuple[Any, ...]]:
    holds_files = any(isinstance(field, models.BinaryField) for field in fields)
    names = [field.attname for field in fields]
    rows = table._base_manager.order_by("pk").values_list(*names)
    yield from rows.iterator(chunk_size=_BATCH_OF_FILES if holds_files else _BATCH)
