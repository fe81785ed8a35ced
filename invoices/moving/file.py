"""A file of books from anywhere: nothing in it is believed before it was counted and hashed."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from invoices.moving import leaving, spelling, tables

# A header or a manifest; one row, with the files that it holds.
_MOST_SAID, _LONGEST_LINE = 4 << 20, 160 << 20
# JSON of many equal rows shrinks to a fiftieth; what shrinks further was made to fill a disk.
_MOST_SHRUNK, _ALWAYS_ALLOWED = 250, 1 << 20
Row = list[Any]


class BooksRefused(Exception):
    """Nothing was written; the message is written for whoever brings the file."""


class BooksFile:
    """Raises BooksRefused wherever it is not what an export writes."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self.file = file
        self.header = self._said(leaving.HEADER)
        self._look_at_header()
        content = self._small(leaving.MANIFEST)
        self.sha256 = hashlib.sha256(content).hexdigest()
        if self._small(leaving.PROOF) != f"{self.sha256}\n".encode():
            raise BooksRefused(_("manifest.json was changed after the file was made."))
        self.tables: dict[str, dict[str, Any]] = self._parsed(leaving.MANIFEST, content)["tables"]
        self._look_at_names()

    @property
    def rows(self) -> int:
        return sum(each["rows"] for each in self.tables.values())

    def _look_at_header(self) -> None:
        if self.header.get("format") != leaving.FORMAT:
            raise BooksRefused(_("This is no file of books: header.json does not say so."))
        if self.header.get("version") != leaving.VERSION:
            raise BooksRefused(
                _("The file has version %(found)s, and this portal reads version %(known)s.")
                % {"found": self.header.get("version"), "known": leaving.VERSION}
            )
        if self.header.get("schema") != leaving.schema():
            raise BooksRefused(
                _(
                    "The file was made by another release of the portal. Bring the old portal to "
                    "the release of this one, and export again."
                )
            )

    def _look_at_names(self) -> None:
        known = set(tables.tables())
        if set(self.tables) != known:
            raise BooksRefused(
                _("The file holds other tables than this portal: %(names)s.")
                % {"names": ", ".join(sorted(set(self.tables) ^ known))}
            )
        wanted = [leaving.HEADER, leaving.MANIFEST, leaving.PROOF, *map(leaving.member, known)]
        names = self.file.namelist()
        if odd := sorted(set(names) - set(wanted)):
            raise BooksRefused(
                _("The file holds what no export writes: %(names)s.")
                % {"names": ", ".join(repr(name)[:80] for name in odd[:5])}
            )
        if len(names) != len(set(names)):
            raise BooksRefused(_("A name stands for two files."))
        for label, said in self.tables.items():
            counts: Any = said
            if not isinstance(counts, dict) or not all(
                type(counts.get(name)) is int for name in ("rows", "bytes")
            ):
                raise BooksRefused(_("manifest.json cannot be read."))
            self._info(leaving.member(label))

    def check(self) -> None:
        """Every row of every table, without writing one."""
        for label in self.tables:
            for _row in self.rows_of(label):
                pass

    def rows_of(self, label: str) -> Iterator[Row]:
        """In the order of its columns, as the database takes them. The last step tells whether all
        was there: who stops earlier knows nothing."""
        table = tables.tables()[label]
        fields = tables.columns(table)
        lines = self._lines(label)
        names = next(lines, None)
        wanted = [field.attname for field in fields]
        if names != wanted:
            odd = set(map(str, names if isinstance(names, list) else [])) ^ set(wanted)
            raise BooksRefused(
                _("%(table)s has other columns than here: %(names)s.")
                % {"table": label, "names": ", ".join(sorted(odd)) or "–"}
            )
        rows = 0
        for row in lines:
            rows += 1
            if not isinstance(row, list) or len(row) != len(fields):
                raise self._at(label, rows, "", _("has not the cells of a row"))
            values = []
            for field, value in zip(fields, row, strict=True):
                try:
                    values.append(spelling.read(field, value))
                except spelling.CellRefused as refusal:
                    raise self._at(label, rows, field.attname, str(refusal)) from None
            yield values
        if rows != self.tables[label]["rows"]:
            raise BooksRefused(
                _("%(table)s: the manifest counts %(said)s rows, and %(found)s are there.")
                % {"table": label, "said": self.tables[label]["rows"], "found": rows}
            )

    def _at(self, label: str, row: int, column: str, what: str) -> BooksRefused:
        return BooksRefused(
            _("%(table)s, row %(row)s %(column)s: %(what)s.")
            % {"table": label, "row": row, "column": column, "what": what}
        )

    def _lines(self, label: str) -> Iterator[Any]:
        name, said = leaving.member(label), self.tables[label]
        found, size = hashlib.sha256(), 0
        try:
            with self.file.open(self._info(name)) as file:
                while line := file.readline(_LONGEST_LINE):
                    found.update(line)
                    size += len(line)
                    if size > said["bytes"] or not line.endswith(b"\n"):
                        raise _changed(name)
                    yield json.loads(line)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
            raise _changed(name) from None
        if size != said["bytes"] or found.hexdigest() != said["sha256"]:
            raise _changed(name)

    # ─ Small files ──────────────────────────────────────────────────────────────────────────────
    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            info = self.file.getinfo(name)
        except KeyError:
            raise BooksRefused(_("%(name)s is missing.") % {"name": name}) from None
        if info.file_size > info.compress_size * _MOST_SHRUNK + _ALWAYS_ALLOWED:
            raise BooksRefused(
                _("%(name)s would grow to %(size)s MB: no export shrinks that much.")
                % {"name": name, "size": info.file_size >> 20}
            )
        if info.flag_bits & 0x1:
            raise BooksRefused(_("The file is encrypted: open it first."))
        return info

    def _small(self, name: str) -> bytes:
        try:
            with self.file.open(self._info(name)) as file:
                content = file.read(_MOST_SAID + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
            raise _changed(name) from None
        if len(content) > _MOST_SAID:
            raise _changed(name)
        return content

    def _said(self, name: str) -> dict[str, Any]:
        return self._parsed(name, self._small(name))

    def _parsed(self, name: str, content: bytes) -> dict[str, Any]:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or (
            name == leaving.MANIFEST and not isinstance(found.get("tables"), dict)
        ):
            raise BooksRefused(_("%(name)s cannot be read.") % {"name": name})
        return found


def _changed(name: str) -> BooksRefused:
    return BooksRefused(
        _("%(name)s is not as it was when the file was made: copy the file again.") % {"name": name}
    )
