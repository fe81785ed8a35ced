"""Heads of the chain that are kept outside the database: a line in a file, in a log, in a mail.

Whoever holds the database and all its backups can cut the chain off or write another one, and even
sign it if he holds the key. He cannot change a line that somebody keeps elsewhere: the chain must
still pass through it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from billing_portal.dates import day
from invoices.accounting.broken import Broken
from invoices.accounting.chain.linking import Statement, last_head, link_new, statement_of
from invoices.models import BooksHead, BooksLink

logger = logging.getLogger("books.anchor")
_LINE = re.compile(r'\{\s*"anchor".{20,2000}?\}\s*\}', re.DOTALL)
# More than a lifetime of months; a log that was filled by somebody else is read no further.
MOST = 5_000


class AnchorRefused(Exception):
    """The file holds no anchor; the message is written for staff."""


class Anchor(NamedTuple):
    said: Statement
    key: str
    mac: str


def line_of(head: BooksHead) -> str:
    """One line of JSON; the counts stand last, so that its end is seen."""
    return json.dumps(
        {
            "anchor": 1,
            "position": head.position,
            "hash": head.hash,
            "at": head.at.isoformat(),
            "key": head.key,
            "mac": head.mac,
            "counts": head.counts,
        },
        separators=(",", ":"),
    )


def anchor_now() -> str:
    """Link what is new, and write the head into the log and its file. Empty for empty books."""
    link_new()
    head = last_head()
    if head is None:
        return ""
    line = line_of(head)
    logger.info("Head of the books: %s", line)
    path = log_file()
    if path is not None and _last_line(path) != line:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    return line


def log_file() -> Path | None:
    return Path(settings.BOOKS_ANCHORS) if settings.BOOKS_ANCHORS else None


def _last_line(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4_000))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return lines[-1] if lines else ""


def read(content: bytes) -> list[Anchor]:
    """The anchors in a file, a log or a saved mail, whatever stands around them or breaks them into
    lines. Raises AnchorRefused when there is none."""
    text = content.decode("utf-8", "replace")
    if b"\nContent-Type:" in content or content.startswith(b"Content-Type:"):
        body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
        text = str(body.get_content()) if body is not None else text
    found = [anchor for match in _LINE.finditer(text) if (anchor := _read(match[0]))]
    if not found:
        raise AnchorRefused(
            _("There is no anchor in this file: it is a line that begins with %(start)s.")
            % {"start": '{"anchor":1'}
        )
    return found[-MOST:]


def _read(text: str) -> Anchor | None:
    try:
        said: dict[str, Any] = json.loads(re.sub(r"\s+", "", text))
        counts = {str(kind): int(count) for kind, count in said["counts"].items()}
        at = datetime.fromisoformat(str(said["at"]))
        statement = Statement(int(said["position"]), str(said["hash"]), counts, at)
        return Anchor(statement, str(said["key"]), str(said["mac"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def kept_here() -> list[Anchor]:
    """Those that the portal itself wrote beside the database."""
    path = log_file()
    if path is None or not path.exists():
        return []
    try:
        return read(path.read_bytes())
    except AnchorRefused:
        return []


def check(anchors: Iterable[Anchor]) -> Iterator[Broken]:
    """Does the chain still pass through each of them?"""
    wanted = {anchor.said.position: anchor for anchor in anchors}
    found = BooksLink.objects.in_bulk(list(wanted)[:MOST]) if wanted else {}
    last = last_head()
    for position, anchor in sorted(wanted.items()):
        where = _("anchor of %(day)s") % {"day": day(anchor.said.at.date())}
        if not anchor.said.is_signed(anchor.key, anchor.mac):
            yield Broken(where, _("is not signed by a key of this portal."))
        link = found.get(position)
        if link is None:
            there = last.position if last else 0
            yield Broken(
                where,
                _("the chain had %(then)s links then and has %(now)s now: its end was cut off.")
                % {"then": position, "now": there},
            )
        elif link.hash != anchor.said.hash:
            yield Broken(
                where, _("the chain does not pass through it: what came before was changed.")
            )


def newest() -> Anchor | None:
    head = last_head()
    return Anchor(statement_of(head), head.key, head.mac) if head else None
