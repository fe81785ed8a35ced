"""What a file is, by its content: a name can say anything, and a mail program believes it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import Final

PDF, PNG, JPEG, CSV = "application/pdf", "image/png", "image/jpeg", "text/csv"
_OFFICE = "application/vnd.openxmlformats-officedocument."
XLSX: Final = f"{_OFFICE}spreadsheetml.sheet"
DOCX: Final = f"{_OFFICE}wordprocessingml.document"
ENDINGS: Final = {
    PDF: ("pdf",),
    PNG: ("png",),
    JPEG: ("jpg", "jpeg"),
    CSV: ("csv",),
    XLSX: ("xlsx",),
    DOCX: ("docx",),
}
# Parts of a workbook or text; more is no office file, and is not read.
_MOST_PARTS = 10_000
_PARTS = {"xl/workbook.xml": XLSX, "word/document.xml": DOCX}
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|\?xml)", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Unknown(Exception):
    """It is none of the kinds that travel with a mail; `code` says which way."""

    code: str


def kind_of(content: bytes) -> str:
    """The content type, one of ENDINGS. Raises Unknown: "macros", "markup" or "other"."""
    # ISO 32000-1, annex H: readers look for the header within the first kilobyte; ours begins it.
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    if _MARKUP.search(content[:65_536]):
        # A browser that opens it runs what is in it.
        raise Unknown("markup")
    if content and not _CONTROL.search(content) and _is_table(content):
        return CSV
    raise Unknown("other")


def _office(content: bytes) -> str:
    """By the names of its parts; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {info.filename for info in archive.infolist()[: _MOST_PARTS + 1]}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        raise Unknown("other") from None
    if len(names) > _MOST_PARTS or "[Content_Types].xml" not in names:
        raise Unknown("other")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Unknown("macros")
    for part, kind in _PARTS.items():
        if part in names:
            return kind
    raise Unknown("other")


def _is_table(content: bytes) -> bool:
    """Text in UTF-8 or Windows-1252 with a separator in its first line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            return False
    first = text.lstrip().partition("\n")[0]
    return any(sign in first for sign in ",;\t|")
