"""Facts as their seals see them, read in the order of their ids without making model instances.

By hand-written SELECTs: half a million rows are read for a check of the books, and Django's rows
would cost ten times as much. Every value passes through the same spelling as when it was sealed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection, models

from invoices.accounting.chain.plain_rows import rows_of, select, spelled, spelling
from invoices.models import Document, Instalment, InvoiceLine, VatBreakdown
from invoices.models.facts import (
    FILE,
    INSTALMENT,
    LINE,
    PARTS,
    VAT_ROW,
    VERSIONS,
    below_in,
    model_of,
    newest,
)

BATCH = 5_000
# Of documents, with all their files in memory.
FEW = 250
# Not by the index of the status: SQLite would sort all of them for each batch.
ISSUED = "status || '' IN ('issued', 'settled')"


class Fact(NamedTuple):
    pk: int
    seal: str | None
    # As sealed, by the version of its seal.
    values: dict[str, list[Any]]
    # Files whose bytes are not those of their SHA-256.
    damaged: Sequence[str] = ()
    name: str = ""
    # The frozen content of a document, as the database keeps it.
    paper: str | None = None


@cache
def names_of(kind: str, version: str) -> tuple[str, ...] | None:
    columns = VERSIONS[kind].get(version)
    if columns is None:
        return None
    return (*columns, *PARTS) if kind == "document" else columns


@cache
def _union(kind: str) -> tuple[str, ...]:
    every = (column for columns in VERSIONS[kind].values() for column in columns)
    return tuple(dict.fromkeys(every))


def facts(
    kind: str,
    *,
    after: int = 0,
    ids: Sequence[int] | None = None,
    where: str = "",
    with_bytes: bool = False,
) -> Iterator[Fact]:
    """All of a kind above an id, or those with these ids. `where` is SQL of our own, on `f`."""
    columns = _union(kind)
    model = model_of(kind)
    size = FEW if kind == "document" else BATCH
    those = f"f.id > %s{_condition(kind, ids, where)} ORDER BY f.id LIMIT {size}"
    sql = select(model, ("id", "seal", *columns), those, _more(kind))
    given = list(ids or ())
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, [after, *given])
            rows = cursor.fetchall()
        yield from _made(kind, columns, rows, with_bytes)
        if len(rows) < size:
            return
        after = rows[-1][0]


def _more(kind: str) -> str:
    return ', f."paper", f."client_type_id"' if kind == "document" else ""


def _condition(kind: str, ids: Sequence[int] | None, where: str) -> str:
    found = f" AND f.{ISSUED}" if kind == "document" else ""
    if ids is not None:
        found += f" AND f.id IN ({', '.join(['%s'] * len(ids)) or 'NULL'})"
    return found + (f" AND {where}" if where else "")


def _made(kind: str, columns: tuple[str, ...], rows: list[Any], with_bytes: bool) -> Iterator[Fact]:
    how, every = spelling(model_of(kind), columns), 2 + len(columns)
    pickers = _pickers(kind)
    parts = _Parts(rows, with_bytes) if kind == "document" and rows else None
    number = columns.index("number") if kind == "document" else 0
    for row in rows:
        plain = spelled(row[2:every], how)
        below = parts.of(row[0], row[-1]) if parts else []
        # Only as the version of its own seal has it.
        version = (row[1] or "").partition(".")[0]
        version = version if version in pickers else newest(kind)
        below_it = parts.sealed_in(version, below) if parts else []
        values = {version: [*pickers[version](plain), *below_it]}
        if parts is None:
            yield Fact(row[0], row[1], values)
        else:
            name, damaged = plain[number] or "", parts.damaged.get(row[0], ())
            yield Fact(row[0], row[1], values, damaged, name, row[-2])


@cache
def _pickers(kind: str) -> dict[str, Any]:
    union = _union(kind)
    return {
        version: list if columns == union else itemgetter(*map(union.index, columns))
        for version, columns in VERSIONS[kind].items()
    }


class _Parts:
    """What lies beneath a batch of documents."""

    def __init__(self, rows: list[Any], with_bytes: bool) -> None:
        # One span of ids costs one statement whatever it holds; a few scattered ids are asked for.
        self._ids = [row[0] for row in rows]
        self.damaged: dict[int, list[str]] = defaultdict(list)
        self._lines = self._rows(InvoiceLine, LINE)
        self._vat = self._rows(VatBreakdown, VAT_ROW)
        self._instalments = self._rows(Instalment, INSTALMENT)
        self._files = self._read_files(with_bytes)

    def of(self, pk: int, client_type: int | None) -> list[Any]:
        below = (self._lines, self._vat, self._instalments, self._files)
        return [client_type, *(found.get(pk, []) for found in below)]

    def sealed_in(self, version: str, below: Sequence[Any]) -> list[Any]:
        client_type, *rows = below
        return [client_type, *below_in(version, rows)]

    def _where(self) -> tuple[str, list[int]]:
        first, last = self._ids[0], self._ids[-1]
        if last - first < 4 * len(self._ids) or len(self._ids) >= FEW:
            return "f.invoice_id BETWEEN %s AND %s", [first, last]
        return f"f.invoice_id IN ({', '.join(['%s'] * len(self._ids))})", self._ids

    def _rows(
        self, model: type[models.Model], columns: Sequence[str]
    ) -> dict[int, list[list[Any]]]:
        found: dict[int, list[list[Any]]] = defaultdict(list)
        for row in rows_of(model, ("invoice_id", *columns), *self._where()):
            found[row[0]].append(row[1:])
        return found

    def _read_files(self, with_bytes: bool) -> dict[int, list[list[Any]]]:
        where, given = self._where()
        how = spelling(Document, tuple(FILE))
        found: dict[int, list[list[Any]]] = defaultdict(list)
        on_server = connection.vendor == "postgresql"
        content = ""
        if with_bytes:
            # The bytes need not travel; the function is named in full, for a path of search could
            # put another one in its place.
            content = (
                ", encode(pg_catalog.sha256(f.content), 'hex'), octet_length(f.content)"
                if on_server
                else ", f.content"
            )
        with connection.cursor() as cursor:
            cursor.execute(select(Document, ("invoice_id", *FILE), where, content), given)
            while rows := cursor.fetchmany(20):
                for row in rows:
                    plain = spelled(row[1 : 1 + len(FILE)], how)
                    if with_bytes:
                        digest, size = row[-2:] if on_server else _digest(row[-1])
                        if (digest, size) != (plain[2], plain[3]):
                            self.damaged[row[0]].append(plain[1])
                    found[row[0]].append(plain)
        return found


def _digest(content: Any) -> tuple[str, int]:
    raw = bytes(content)
    return hashlib.sha256(raw).hexdigest(), len(raw)
