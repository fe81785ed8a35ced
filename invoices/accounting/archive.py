"""The books of a year as one file: originals, an index, and proofs that need no database.

Written as it is read: what is in memory is one document with its files, and what a ZIP keeps of
each name. What belongs to a year is what is dated in it.
"""

from __future__ import annotations

import csv
import hashlib
import inspect
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from billing_portal.lists.exports import guarded
from invoices.accounting import archive_reader
from invoices.accounting.chain import anchors, linking
from invoices.models import (
    Allocation,
    Attachment,
    BooksDecision,
    BooksHead,
    BooksLink,
    Company,
    Document,
    Invoice,
    InvoiceEvent,
    Payment,
    Refund,
)

CHUNK = 1_000
_INDEX = (
    *("number", "kind", "issue_date", "due_date", "buyer_name", "currency", "net_minor"),
    *("vat_minor", "total_minor", "settled_on", "content_hash"),
)
Progress = Callable[[int, int], None]


class ArchiveRefused(Exception):
    """Nothing was written; the message is written for staff."""


class Written(NamedTuple):
    path: Path
    documents: int
    files: int
    sha256: str


def archive(
    *, year: int, path: Path, on: date, progress: Progress = lambda _done, _total: None
) -> Written:
    """Raises ArchiveRefused. The file appears under its name when it is whole."""
    if not 2000 <= year <= on.year:
        raise ArchiveRefused(_("There are no books of the year %(year)s.") % {"year": year})
    linking.link_new()
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as file:
            made = _Archive(file, year, progress)
            made.write()
        half.replace(path)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()
    return Written(path, made.documents, made.files, _digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Archive:
    def __init__(self, file: zipfile.ZipFile, year: int, progress: Progress) -> None:
        self.file, self.year, self.progress = file, year, progress
        self.span = (date(year, 1, 1), date(year, 12, 31))
        self.documents = self.files = 0
        # The manifest is long and comes last; a ZIP takes one file at a time.
        self.manifest = io.StringIO(newline="")
        self.listed = csv.writer(self.manifest)
        self.listed.writerow(["file", "size", "sha256"])

    def write(self) -> None:
        head = linking.last_head()
        self._text("LISEZ-MOI.txt", _README["fr"].format(year=self.year, company=_company()))
        self._text("README.txt", _README["en"].format(year=self.year, company=_company()))
        self._text("verify.py", inspect.getsource(archive_reader))
        self._text("head.json", anchors.line_of(head) + "\n" if head else "{}\n")
        # Each document is read once for its files, and once more for each list: a ZIP takes one
        # file at a time, and the files of a year do not fit into memory.
        self._originals()
        self._lines("documents.jsonl", map(_document, self._issued()))
        self._index()
        for name, rows in self._others().items():
            self._lines(name, (_plain(row) for row in rows.iterator(chunk_size=CHUNK)))
        self._lines("heads.jsonl", (_plain(row) for row in BooksHead.objects.order_by("position")))
        self._lines("links.jsonl", self._links())
        listed = self.manifest.getvalue().encode()
        self.file.writestr("manifest.csv", listed)
        self.file.writestr(
            "manifest.sha256", f"{hashlib.sha256(listed).hexdigest()}  manifest.csv\n"
        )

    def _rows(self) -> QuerySet[Invoice]:
        rows = Invoice.objects.issued().filter(issue_date__range=self.span)
        return rows.order_by("kind", "series_id", "sequence", "pk")

    def _issued(self) -> Iterator[Invoice]:
        rows = (
            self._rows()
            .select_related("series", "client")
            .prefetch_related("lines", "vat_breakdown", "instalments")
        )
        yield from rows.iterator(chunk_size=200)

    def _originals(self) -> None:
        total = self._rows().count()
        for pk, number in self._rows().values_list("pk", "number").iterator(chunk_size=CHUNK):
            for document in Document.objects.filter(invoice=pk).order_by("kind"):
                # Already compressed, or small.
                name = f"originals/{_safe(number)}/{document.filename}"
                self._bytes(name, bytes(document.content), zipfile.ZIP_STORED)
                self.files += 1
            for beside in Attachment.objects.filter(invoice=pk).select_related("file"):
                name = _attached(number, beside)
                self._bytes(name, bytes(beside.file.content), zipfile.ZIP_STORED)
                self.files += 1
            self.documents += 1
            if self.documents % 100 == 0 or self.documents == total:
                self.progress(self.documents, total)

    def _others(self) -> dict[str, QuerySet[Any]]:
        return {
            "payments.jsonl": Payment.objects.filter(received_on__range=self.span).order_by("pk"),
            "allocations.jsonl": Allocation.objects.filter(applied_on__range=self.span).order_by(
                "pk"
            ),
            "refunds.jsonl": Refund.objects.filter(refunded_on__range=self.span).order_by("pk"),
            "events.jsonl": InvoiceEvent.objects.filter(on__range=self.span).order_by("pk"),
            "decisions.jsonl": BooksDecision.objects.filter(on__range=self.span).order_by("pk"),
        }

    def _links(self) -> Iterator[dict[str, Any]]:
        """Of the facts of the year, each with the hash before it."""
        wanted: dict[str, QuerySet[Any]] = {
            "document": self._rows().order_by(),
            **{name.removesuffix("s.jsonl"): rows for name, rows in self._others().items()},
        }
        mine = Q(pk__in=[])
        for kind, rows in wanted.items():
            mine |= Q(kind=kind, object_id__in=rows.order_by().values("pk"))
        before: tuple[int, str] = (0, "")
        for link in BooksLink.objects.filter(mine).order_by("position").iterator(chunk_size=CHUNK):
            previous = before[1]
            if before[0] + 1 != link.position:
                earlier = BooksLink.objects.filter(position=link.position - 1)
                previous = earlier.values_list("hash", flat=True).first() or ""
            before = (link.position, link.hash)
            yield {"previous_hash": previous, **_plain(link)}

    def _index(self) -> None:
        """For people, and for a spreadsheet."""
        columns = _INDEX

        def rows() -> Iterator[bytes]:
            yield b"\xef\xbb\xbf" + _csv_line(columns)
            for row in self._rows().values_list(*columns).iterator(chunk_size=CHUNK):
                yield _csv_line(guarded(str(value)) if value is not None else "" for value in row)

        self._stream("index.csv", rows())

    # ─ Writing ──────────────────────────────────────────────────────────────────────────────────
    def _lines(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        self._stream(name, (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))

    def _stream(self, name: str, parts: Iterable[bytes]) -> None:
        found, size = hashlib.sha256(), 0
        with self.file.open(name, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part)
                found.update(part)
                size += len(part)
        self.listed.writerow([name, size, found.hexdigest()])

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode(), zipfile.ZIP_DEFLATED)

    def _bytes(self, name: str, content: bytes, how: int) -> None:
        self.file.writestr(name, content, how)
        self.listed.writerow([name, len(content), hashlib.sha256(content).hexdigest()])


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=";").writerow(cells)
    return line.getvalue().encode()


def _safe(number: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in number)


def _attached(number: str, beside: Attachment) -> str:
    """Where it lies: two of one name may stand beside a document, one of them taken away since."""
    return f"attachments/{_safe(number)}/{beside.pk}-{_safe(beside.filename)}"


def _company() -> str:
    company = Company.ours()
    return company.name if company else ""


def _plain(row: Any) -> dict[str, Any]:
    return {f.attname: _json(getattr(row, f.attname)) for f in row._meta.concrete_fields}


def _json(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _document(invoice: Invoice) -> dict[str, Any]:
    rate = invoice.exchange_rate
    files = list(invoice.documents.defer("content").order_by("kind"))
    pdf = next((file.sha256 for file in files if file.kind == "pdf"), "")
    return {
        **_plain(invoice),
        "series": invoice.series_id,
        "client_name_today": invoice.client.name,
        "lines": [_plain(row) for row in invoice.lines.all()],
        "vat": [_plain(row) for row in invoice.vat_breakdown.all()],
        "credit_shares": [_plain(row) for row in invoice.credit_shares.all()],
        "instalments": [_plain(row) for row in invoice.instalments.all()],
        "files": [
            {"kind": file.kind, "filename": file.filename, "sha256": file.sha256} for file in files
        ],
        "attachments": [
            {
                "file": _attached(invoice.number, each),
                "filename": each.filename,
                "sha256": each.file.sha256,
                "added_at": _json(each.added_at),
                "removed_at": _json(each.removed_at),
            }
            for each in invoice.attachments.select_related("file").defer("file__content")
        ],
        # What the hash covers beside the page (invoicing/snapshot.py).
        "facts": {
            "client": invoice.client_id,
            "corrects": invoice.corrects_id,
            "deal": invoice.deal_id,
            "document": pdf,
            "exchange_rate": None if rate is None else format(Decimal(rate).normalize(), "f"),
            "issued_by": invoice.issued_by_id,
            "owner": invoice.owner_id,
            "plan_step": invoice.plan_step,
        },
    }


_README = {
    "en": """\
Archive of the books of {company}, year {year}.

originals/      each document as it was issued: PDF, and the e-invoice (XML) where there is one
attachments/    the files that were put beside a document or left with its emails
index.csv       one line per document (amounts in minor units; separated by semicolons)
*.jsonl         documents with lines and VAT, payments, allocations, refunds, events, decisions:
                one JSON object per line
links.jsonl     the link of each of these in the chain of the portal; heads.jsonl, head.json: its
                signed heads
manifest.csv    size and SHA-256 of every file

To verify it: python verify.py ARCHIVE.zip (Python 3.11 or newer, nothing else; take verify.py from
where you trust it). Keep it for ten years from the end of the financial year.
""",
    "fr": """\
Archive des livres de {company}, exercice {year}.

originals/      chaque document tel qu’il a été émis : PDF, et la facture électronique (XML)
attachments/    les fichiers joints à un document ou partis avec ses e-mails
index.csv       une ligne par document (montants en centimes ; séparateur point-virgule)
*.jsonl         documents avec lignes et TVA, paiements, affectations, remboursements, événements,
                décisions : un objet JSON par ligne
links.jsonl     le maillon de chacun dans la chaîne du portail ; heads.jsonl, head.json : ses têtes
                signées
manifest.csv    taille et SHA-256 de chaque fichier

Pour vérifier : python verify.py ARCHIVE.zip (Python 3.11 ou plus récent, rien d’autre). À conserver
dix ans à compter de la clôture de l’exercice.
""",
}
