"""The language in which staff write mails: text with {names}, nothing else.

A name stands for a text that whoever owns the kind of mail gives; nothing is looked up in objects,
nothing is run. One text makes both parts of a mail, so they say the same. A line of nothing but
names that are empty falls away; a block (the amounts of an invoice) and a link stand on lines of
their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from django.utils.translation import gettext as _

LONGEST_SUBJECT, LONGEST_BODY = 200, 8_000
_NAME = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"[{}]")
_ALONE = re.compile(r"\s*\{([a-z_]+)\}\s*")


@dataclass(frozen=True)
class Block:
    """Rows of a label and its lines: a table in HTML. Without a label a sentence."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]

    def as_text(self) -> str:
        said: list[str] = []
        for label, lines in self.rows:
            if not label:
                said += lines
            elif len(lines) == 1:
                said.append(f"{label}: {lines[0]}")
            else:
                said += [f"{label}:", *(f"  {line}" for line in lines)]
        return "\n".join(said)

    def as_html(self) -> str:
        cells = []
        for label, lines in self.rows:
            shown = "<br>".join(map(escape, lines))
            if label:
                name = escape(label.rstrip("\u00a0\u202f"))
                cells.append(
                    f'<tr><td style="padding:2px 16px 2px 0;color:#667382">{name}</td>'
                    f'<td style="padding:2px 0">{shown}</td></tr>'
                )
            else:
                cells.append(f'<tr><td colspan="2" style="padding:2px 0">{shown}</td></tr>')
        return (
            '<table role="presentation" cellpadding="0" cellspacing="0" style="font-size:15px">'
            f"{''.join(cells)}</table>"
        )


@dataclass(frozen=True)
class Link:
    """An address; a button with `label` in HTML."""

    url: str
    label: str

    def as_text(self) -> str:
        return self.url

    def as_html(self) -> str:
        return (
            f'<p><a href="{escape(self.url)}" style="display:inline-block;padding:10px 18px;'
            'background:#3a4fc0;color:#ffffff;text-decoration:none;border-radius:6px">'
            f"{escape(self.label)}</a></p>"
        )


Value = str | Block | Link
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Variable:
    """`alone`: a block or link, which stands on a line of its own; `needed`: no text without it."""

    name: str
    meaning: Callable[[], str]
    alone: bool = False
    needed: bool = False


@dataclass(frozen=True)
class Example:
    """A real document that a text is tried on."""

    name: str
    values: Values
    attachments: Sequence[object] = ()


@dataclass(frozen=True)
class Wording:
    """A kind of mail whose words staff may change. `standard`: subject and body by language;
    `example` takes a number ("" for the newest document of its language) and a language."""

    kind: str
    title: Callable[[], str]
    variables: tuple[Variable, ...]
    standard: Mapping[str, tuple[str, str]]
    example: Callable[[str, str], Example | None] = field(default=lambda _number, _language: None)


_WORDINGS: dict[str, Wording] = {}


def register(wording: Wording) -> None:
    _WORDINGS[wording.kind] = wording


def wordings() -> list[Wording]:
    return list(_WORDINGS.values())


def wording_of(kind: str) -> Wording | None:
    return _WORDINGS.get(kind)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a text, for staff; `line` from 1, 0 for the subject."""

    line: int
    text: str


def problems_of(wording: Wording, subject: str, body: str) -> list[Problem]:
    """Everything that keeps a text from being used; empty when it can be."""
    known = {variable.name: variable for variable in wording.variables}
    found = list(_problems_of_line(0, subject, known))
    for number, line in enumerate(body.split("\n"), 1):
        found += _problems_of_line(number, line, known)
    used = set(_NAME.findall(body))
    found += [
        Problem(
            0,
            _("The text has to say {%(name)s}: without it the mail is of no use.")
            % {"name": variable.name},
        )
        for variable in wording.variables
        if variable.needed and variable.name not in used
    ]
    return found


def _problems_of_line(number: int, line: str, known: Mapping[str, Variable]) -> Iterator[Problem]:
    for name in _NAME.findall(line):
        if name not in known:
            names = ", ".join(f"{{{each}}}" for each in known)
            yield Problem(
                number,
                _("there is no {%(name)s} here. There are: %(names)s.")
                % {"name": name, "names": names},
            )
        elif known[name].alone and (number == 0 or not _ALONE.fullmatch(line)):
            yield Problem(
                number, _("{%(name)s} stands on a line of its own in the text.") % {"name": name}
            )
    rest = _NAME.sub("", line)
    if brace := _BRACE.search(rest):
        near = rest[brace.start() : brace.start() + 20]
        yield Problem(
            number,
            _(
                "“%(near)s” is no name in braces: write {number}, in small letters, and no braces "
                "elsewhere."
            )
            % {"near": near},
        )


Pieces = list[list[str | Block | Link]]


def pieces_of(body: str, values: Values) -> Pieces:
    """The paragraphs, each of lines, blocks and links: what both parts are made of."""
    return list(_paragraphs(body, values))


def filled(subject: str, body: str, values: Values) -> tuple[str, str, str]:
    """Subject, text and HTML. A name without a value is empty."""
    said = " ".join(_inline(subject, values).split())
    paragraphs = pieces_of(body, values)
    text = "\n\n".join(
        "\n".join(piece if isinstance(piece, str) else piece.as_text() for piece in lines)
        for lines in paragraphs
    )
    html = "\n".join(_html_of(lines) for lines in paragraphs)
    return said, text.strip() + "\n", html


def page(html: str, *, title: str, language: str) -> str:
    """The HTML part whole."""
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8"><title>'
        f"{escape(title)}</title></head>\n"
        '<body style="margin:0;padding:24px;font-family:Helvetica,Arial,sans-serif;font-size:15px;'
        f'line-height:1.5;color:#182433">\n{html}\n</body>\n</html>\n'
    )


def _paragraphs(body: str, values: Values) -> Iterator[list[str | Block | Link]]:
    lines: list[str | Block | Link] = []
    for line in [*body.replace("\r\n", "\n").split("\n"), ""]:
        if not line.strip():
            if lines:
                yield lines
            lines = []
            continue
        alone = _ALONE.fullmatch(line)
        value = values.get(alone.group(1), "") if alone else ""
        if isinstance(value, Block | Link):
            if not isinstance(value, Block) or value.rows:
                lines.append(value)
            continue
        shown = _inline(line, values)
        # Only names, all of them empty: the line has nothing to say.
        if shown.strip() or not _NAME.search(line):
            lines.append(shown)


def _inline(line: str, values: Values) -> str:
    def value(match: re.Match[str]) -> str:
        found = values.get(match.group(1), "")
        return found if isinstance(found, str) else found.as_text()

    return _NAME.sub(value, line)


def _html_of(lines: Sequence[str | Block | Link]) -> str:
    made: list[str] = []
    run: list[str] = []
    for piece in [*lines, None]:
        if isinstance(piece, str):
            run.append(escape(piece))
            continue
        if run:
            made.append(f"<p>{'<br>'.join(run)}</p>")
            run = []
        if piece is not None:
            made.append(piece.as_html())
    return "\n".join(made)
