"""The whole chain against the whole books: every seal, every link, every signed head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace

from django.db import connection
from django.utils.translation import gettext as _

from billing_portal.dates import day
from billing_portal.seals import keys
from invoices.accounting.broken import Broken
from invoices.accounting.chain.linking import KINDS, bare, link_hash, statement_of
from invoices.accounting.chain.naming import name_of
from invoices.accounting.chain.plain_rows import json_written
from invoices.accounting.chain.reading import Fact, facts, names_of
from invoices.accounting.chain.seals import Judge, UnknownKey, wrong
from invoices.invoicing import snapshot
from invoices.models import BooksHead
from invoices.models.facts import VERSIONS, model_of

BATCH = 10_000
# Processes that were not started anew go on sealing with the key before.
ROTATION_TAKES = timedelta(days=2)
MOST_NAMED = 2_000
# In its place in every version of what is sealed of a document.
_IMPORTED = VERSIONS["document"]["1"].index("imported")


class Checked:
    """What a check found on its way; `suspects` are documents to be looked at more closely."""

    def __init__(self) -> None:
        self.suspects: set[int] = set()
        self.unknown_keys: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()


def check(checked: Checked) -> Iterator[Broken]:
    judge = Judge()
    for kind in (*KINDS, "series"):
        yield from _kind(kind, checked, judge)
    for name, count in checked.unknown_keys.most_common():
        yield Broken(
            _("key %(name)s") % {"name": name},
            _("%(count)s rows were sealed with it, and it is not known here: put it back.")
            % {"count": count},
        )
    yield from _doubles()
    yield from _links(checked)


def check_without_keys() -> Iterator[Broken]:
    """What needs no key: contents against their hashes, stored files against theirs, links against
    facts and against each other."""
    checked, judge = Checked(), Judge()
    for kind in (*KINDS, "series"):
        yield from _kind(kind, checked, judge)
    yield from _doubles()
    before = ""
    for at, kind, object_id, seal, name, found in _all_links():
        if found != link_hash(before, at, kind, object_id, seal, name):
            yield Broken(
                _("link %(position)s") % {"position": at},
                _("was changed: it does not follow from the one before it."),
            )
        before = found


def _kind(kind: str, checked: Checked, judge: Judge) -> Iterator[Broken]:
    links = _linked(kind)
    link = next(links, None)
    for fact in facts(kind, with_bytes=True):
        checked.facts[kind] += 1
        while link is not None and link[0] < fact.pk:
            yield from _gone(kind, link)
            link = next(links, None)
        text = _wrong(kind, fact, judge, checked)
        if fact.damaged:
            yield Broken(_name(kind, fact), _("its stored document is not what was stored."))
        if link is not None and link[0] == fact.pk:
            if not text and link[1] != bare(fact.seal or ""):
                text = _("another row stands in its place.")
            link = next(links, None)
        if kind == "document":
            paper = _paper(fact)
            if paper:
                yield Broken(fact.name, paper)
            if text or paper or fact.damaged:
                checked.suspects.add(fact.pk)
        if text:
            yield Broken(_name(kind, fact), text)
    while link is not None:
        yield from _gone(kind, link)
        link = next(links, None)


def _paper(fact: Fact) -> str:
    """What is wrong with the frozen content, of which the sealed columns hold the hash."""
    version = next(iter(fact.values))
    if fact.values[version][_IMPORTED]:
        return ""
    row = dict(zip(names_of("document", version) or (), fact.values[version], strict=True))
    paper = json_written(fact.paper) if fact.paper is not None else None
    if not isinstance(paper, dict):
        return _("has no frozen content.")
    if row["sealed_with"] == 1:
        right = snapshot.chained_hash(row["previous_hash"], paper)
    else:
        pdf = next((file[2] for file in row["documents"] if file[0] == "pdf"), "")
        right = snapshot.sealed_hash(SimpleNamespace(**row, paper=paper), pdf)
    return "" if right == row["content_hash"] else _changed()


def _changed() -> str:
    return _("its content was changed after it was issued.")


def _wrong(kind: str, fact: Fact, judge: Judge, checked: Checked) -> str:
    try:
        return wrong(kind, fact, judge)
    except UnknownKey as unknown:
        checked.unknown_keys[unknown.name] += 1
        return ""


def _name(kind: str, fact: Fact) -> str:
    return fact.name or name_of(kind, fact.pk)


Link = tuple[int, str, str]


def _linked(kind: str) -> Iterator[Link]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT object_id, seal, name FROM invoices_bookslink "
                "WHERE kind = %s AND object_id > %s ORDER BY object_id LIMIT %s",
                [kind, after, BATCH],
            )
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1][0]


def _gone(kind: str, link: Link) -> Iterator[Broken]:
    yield Broken(
        link[2] or name_of(kind, link[0]),
        _("was deleted, though it had been linked into the books."),
    )


def _doubles() -> Iterator[Broken]:
    """A row that was copied bears the seal of the one that it was copied from."""
    for kind in KINDS:
        table = model_of(kind)._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT MAX(id) FROM {table} WHERE seal IS NOT NULL "  # noqa: S608
                "GROUP BY seal HAVING COUNT(*) > 1 ORDER BY 1"
            )
            rows = cursor.fetchmany(MOST_NAMED)
        for (pk,) in rows:
            yield Broken(name_of(kind, pk), _("is a copy of another row."))


# ─ The chain itself ─────────────────────────────────────────────────────────────────────────────
def _links(checked: Checked) -> Iterator[Broken]:
    heads = BooksHead.objects.order_by("position").iterator(chunk_size=1_000)
    head = next(heads, None)
    age = {key.name: place for place, key in enumerate(keys())}
    began: dict[str, datetime] = {}
    position, before, counts = 0, "", Counter[str]()
    used: set[str] = set()
    newest_key = len(age)
    is_whole = True
    for at, kind, object_id, seal, name, found in _all_links():
        position += 1
        if at != position:
            yield Broken(
                _("link %(position)s") % {"position": position}, _("is missing in the chain.")
            )
            position, is_whole = at, False
        right = link_hash(before, at, kind, object_id, seal, name)
        if is_whole and found != right:
            yield Broken(
                _("link %(position)s") % {"position": at},
                _("was changed: it does not follow from the one before it."),
            )
        before, is_whole = found, True
        counts[kind] += 1
        used.add(seal[2:10])
        while head is not None and head.position <= at:
            yield from _head(head, at, found, counts)
            newest = age.get(head.key, len(age))
            if newest > newest_key:
                yield Broken(str(head), _("is signed with a key that was retired before."))
            newest_key = min(newest_key, newest)
            began.setdefault(head.key, head.at)
            for retired in _retired(used, age, newest_key):
                if head.at > began[head.key] + ROTATION_TAKES:
                    yield Broken(
                        str(head),
                        _("facts before it were sealed with key %(name)s, retired by then.")
                        % {"name": retired},
                    )
            used.clear()
            head = next(heads, None)
    while head is not None:
        yield Broken(str(head), _("this head is signed, and the chain does not reach it any more."))
        head = next(heads, None)
    if used:
        yield Broken(_("the chain"), _("its last links were never signed."))


def _retired(used: set[str], age: dict[str, int], newest: int) -> list[str]:
    return sorted(name for name in used if age.get(name, 0) > newest)


def _head(head: BooksHead, at: int, found: str, counts: Counter[str]) -> Iterator[Broken]:
    said = statement_of(head)
    where = _("head of %(day)s") % {"day": day(head.at.date())}
    if not said.is_signed(head.key, head.mac):
        yield Broken(where, _("is not signed by a key of this portal."))
    if head.position != at or head.hash != found or said.counts != counts:
        yield Broken(where, _("says another end of the chain than the chain has."))


def _all_links() -> Iterator[tuple[int, str, int, str, str, str]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT position, kind, object_id, seal, name, hash FROM invoices_bookslink "
                "WHERE position > %s ORDER BY position LIMIT %s",
                [after, BATCH],
            )
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1][0]
