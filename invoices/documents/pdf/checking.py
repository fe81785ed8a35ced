"""What cannot be printed: too many lines, too long a text, characters that no font has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from django.utils.translation import gettext as _

from invoices.documents.paper import CREDIT_NOTE, Paper
from invoices.documents.pdf import text as pdf_text

MAX_LINES = 500
MAX_DESCRIPTION = 2_000
MAX_TEXT = 4_000


class PdfRefused(Exception):
    """The document cannot be printed as it is; the message is written for staff."""


@dataclass(frozen=True)
class Unprintable:
    """`field` is its name in the paper, `seller.name`; `line` counts from 1, 0 beside the lines."""

    field: str
    line: int
    characters: tuple[str, ...]


def check(paper: Paper) -> None:
    """Raises PdfRefused."""
    if len(paper.lines) > MAX_LINES:
        raise PdfRefused(
            _("A document has at most %(limit)s lines; this one has %(count)s. Make two of it.")
            % {"limit": MAX_LINES, "count": len(paper.lines)}
        )
    for position, line in enumerate(paper.lines, start=1):
        if len(line.description) > MAX_DESCRIPTION:
            raise PdfRefused(
                _("The description of line %(position)s has more than %(limit)s characters.")
                % {"position": position, "limit": MAX_DESCRIPTION}
            )
    for text in texts_of(paper):
        if len(text) > MAX_TEXT or text.count("\n") > MAX_TEXT // 20:
            raise PdfRefused(
                _("A text of this document has more than %(limit)s characters or too many lines.")
                % {"limit": MAX_TEXT}
            )
    if paper.kind == CREDIT_NOTE and paper.total_minor < 0:
        raise PdfRefused(_("A credit note states positive amounts."))


def texts_of(paper: Paper) -> list[str]:
    """Every text of the paper, whatever it is of."""
    return [text for _field, _line, text in _texts(paper, "", 0)]


def unprintable(paper: Paper) -> tuple[Unprintable, ...]:
    """Where the page would lack a character (emoji) or show □ for it: no such page is issued."""
    return unprintable_in(_texts(paper, "", 0))


def unprintable_in(texts: Iterable[tuple[str, int, str]]) -> tuple[Unprintable, ...]:
    """As `unprintable`, of (field, line, text) that make no paper yet."""
    found = []
    for field, line, text in texts:
        if not text.isascii() and (odd := pdf_text.unprintable(text)):
            found.append(Unprintable(field, line, odd))
    return tuple(found)


def _texts(value: Any, field: str, line: int) -> Iterator[tuple[str, int, str]]:
    if isinstance(value, str):
        yield field, line, value
    elif isinstance(value, tuple):
        counted = field in ("lines", "offered")
        for position, item in enumerate(value, start=1):
            yield from _texts(item, field, position if counted else line)
    elif is_dataclass(value):
        for each in fields(value):
            name = f"{field}.{each.name}" if field else each.name
            yield from _texts(getattr(value, each.name), name, line)
